import { connectorEntrySchema, type KerberosSettings } from '@sallyport/admin-api'
import { describe, expect, it } from 'vitest'
import { formatKrb5Configuration } from './krb5-configuration.ts'

const settings: KerberosSettings = {
  realm: 'ACME.TEST',
  kdcHosts: ['kdc1.acme.test', 'kdc2.acme.test:8888', '[fd00::1]', '[fd00::2]:750'],
  encryptionTypes: ['AES256_CTS_HMAC_SHA1_96', 'RC4_HMAC'],
  serviceUser: 'svc',
  userDomains: [],
}

describe('configuration for MIT Kerberos', () => {
  it('names every KDC with its port, 88 unless another is written', () => {
    const kdcs = [...formatKrb5Configuration(settings).matchAll(/^ +kdc = (.*)$/gm)].map(([, kdc]) => kdc)
    expect(kdcs).toEqual(['kdc1.acme.test:88', 'kdc2.acme.test:8888', '[fd00::1]:88', '[fd00::2]:750'])
  })

  it('permits the chosen encryption and no other', () => {
    expect(formatKrb5Configuration(settings)).toContain('permitted_enctypes = aes256-cts-hmac-sha1-96 arcfour-hmac\n  allow_rc4 = true\n')
    const aes = formatKrb5Configuration({ ...settings, encryptionTypes: ['AES256_CTS_HMAC_SHA1_96'] })
    expect(aes).toContain('permitted_enctypes = aes256-cts-hmac-sha1-96\n')
    expect(aes).not.toContain('rc4')
  })

  it.each([
    ['realm', 'ACME TEST'],
    ['realm', 'A\n[libdefaults]'],
    ['kdcHosts', []],
    ['kdcHosts', ['kdc:0']],
    ['kdcHosts', ['kdc:65536']],
    ['kdcHosts', ['kdc\nmaster_kdc = evil']],
    ['kdcHosts', ['tcp/kdc']],
    ['encryptionTypes', ['DES_CBC_CRC']],
    ['encryptionTypes', []],
    ['serviceUser', '-svc'],
    ['serviceUser', 'svc@OTHER'],
    ['userDomains', ['a b']],
  ])('settings with %s %j are refused', (key, value) => {
    const kerberos = { ...settings, keytab: { file: 'service.keytab' } }
    expect(connectorEntrySchema.safeParse({ kerberos }).success).toBe(true)
    expect(connectorEntrySchema.safeParse({ kerberos: { ...kerberos, [key]: value } }).success).toBe(false)
  })
})
