import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createCertificationRequest, formatPem, parseCertificationRequest, parseName } from './index.ts'

const subject = parseName('CN=connector,OU=demo,O=Example,C=DE')
const pairs: readonly [string, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }][] = [
  ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
]

describe.each(pairs)('a request for a key on %s', (_, { publicKey, privateKey }) => {
  const der = createCertificationRequest(subject, privateKey, publicKey)

  it('is read back with subject and key, from DER and PEM, as bytes and as text', () => {
    const pem = formatPem('CERTIFICATE REQUEST', der)
    for (const form of [der, pem, Buffer.from(pem), `request:\n${pem.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST')}`]) {
      const request = parseCertificationRequest(form)
      expect(request.subject).toEqual(subject)
      expect(request.publicKey.equals(publicKey)).toBe(true)
    }
  })

  it('is refused after any change of a byte', () => {
    for (let position = 0; position < der.length; position += 7) {
      const changed = Buffer.from(der)
      changed[position] = (changed[position] ?? 0) ^ 0x01
      expect(() => parseCertificationRequest(changed)).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
    }
  })

  it('is refused when cut or continued', () => {
    for (let length = 0; length < der.length; length += 11) {
      expect(() => parseCertificationRequest(der.subarray(0, length))).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
    }
    expect(() => parseCertificationRequest(Buffer.concat([der, Buffer.from([0])]))).toThrow(/do not belong/)
  })
})

it('refuses a request signed with another key', () => {
  const [, mine] = pairs[1] ?? ['', generateKeyPairSync('ec', { namedCurve: 'P-256' })]
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  expect(() => createCertificationRequest(subject, mine.privateKey, other.publicKey)).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
  )
})

it('refuses texts without exactly one request, and too much of them', () => {
  const [, { privateKey, publicKey }] = pairs[1] ?? ['', generateKeyPairSync('ec', { namedCurve: 'P-256' })]
  const pem = formatPem('CERTIFICATE REQUEST', createCertificationRequest(subject, privateKey, publicKey))
  for (const text of ['', 'x', pem + pem, pem.slice(0, 80), ' '.repeat(40_000), Buffer.alloc(20_000, 0x30)]) {
    expect(() => parseCertificationRequest(text)).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
  }
})
