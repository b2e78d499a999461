import type { KerberosSettings } from '@sallyport/admin-api'
import { createTestKeytab } from '@sallyport/test-fixtures'
import { assert, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkKeytab, readKeytab } from './keytab.ts'

const settings: KerberosSettings = {
  realm: 'ACME.TEST',
  kdcHosts: ['kdc'],
  encryptionTypes: ['AES256_CTS_HMAC_SHA1_96'],
  serviceUser: 'svc',
  userDomains: [],
}
const good = createTestKeytab([
  { principal: 'HTTP/web.acme.test@ACME.TEST', encryption: 17 },
  { principal: 'svc@ACME.TEST', encryption: 18 },
])

describe('keytabs', () => {
  it('are read with principals and encryption', () => {
    expect(readKeytab(good)).toEqual([
      { principal: 'HTTP/web.acme.test@ACME.TEST', encryption: 17 },
      { principal: 'svc@ACME.TEST', encryption: 18 },
    ])
  })

  it('skips what deleted entries have left', () => {
    const hole = Buffer.alloc(4 + 7)
    hole.writeInt32BE(-7)
    expect(readKeytab(Buffer.concat([good.subarray(0, 2), hole, good.subarray(2), Buffer.alloc(4)]))).toHaveLength(2)
  })

  it('need a key of the service user with the encryption of the settings', () => {
    expect(() => checkKeytab(good, settings)).not.toThrow()
    expect(() => checkKeytab(good, { ...settings, serviceUser: 'other' })).toThrow(
      'has no key of other@ACME.TEST, but of HTTP/web.acme.test@ACME.TEST, svc@ACME.TEST',
    )
    expect(() => checkKeytab(good, { ...settings, encryptionTypes: ['RC4_HMAC'] })).toThrow(
      'no key of svc@ACME.TEST with encryption RC4_HMAC',
    )
  })

  it.each([
    ['no keytab', Buffer.from('-----BEGIN'), 'it is no keytab'],
    ['nothing', Buffer.alloc(0), 'it is no keytab'],
    ['a part of one', good.subarray(0, good.length - 1), 'it ends within an entry'],
    ['none of the service user', good.subarray(0, 2), 'has no key of svc@ACME.TEST'],
  ])('%s is refused', (_what, content, expected) => {
    expect(() => checkKeytab(content, settings)).toThrow(expected)
  })

  it('any bytes are read or refused', () => {
    const read = (bytes: Uint8Array): string => {
      try {
        readKeytab(Buffer.concat([good.subarray(0, 2), bytes]))
        return 'read'
      } catch (error) {
        return String(error)
      }
    }
    assert(property(uint8Array({ maxLength: 300 }), (bytes) => /^read$|the keytab cannot be used/.test(read(bytes))))
  })
})
