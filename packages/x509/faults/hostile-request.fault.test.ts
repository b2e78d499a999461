import {
  createCertificationRequest,
  formatPem,
  formatSubject,
  parseCertificationRequest,
  parseName,
  parsePemCertificates,
  readSubject,
} from '@sallyport/x509'
import { generateKeyPairSync } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const request = createCertificationRequest(parseName('CN=a,O=b,C=DE'), privateKey, publicKey, { keyUsage: ['keyCertSign'] })

const refusal = expect.objectContaining({ code: 'MESSAGE_INVALID' }) as unknown

it('refuses arbitrary bytes and text as a request, a certificate and a PEM file', () => {
  const bytes = fc.uint8Array({ maxLength: 500 }).map((octets) => Buffer.from(octets))
  const nested = fc.nat({ max: 5000 }).map((depth) => Buffer.from('3080'.repeat(depth), 'hex'))
  const framed = bytes.map((content) => Buffer.concat([Buffer.from([0x30, 0x82, content.length >> 8, content.length & 0xff]), content]))
  fc.assert(
    fc.property(fc.oneof(bytes, framed, nested), (input) => {
      expect(() => parseCertificationRequest(input)).toThrow(refusal)
      expect(() => parseCertificationRequest(formatPem('CERTIFICATE REQUEST', input))).toThrow(refusal)
      expect(() => readSubject(input)).toThrow(refusal)
      expect(() => formatSubject(input)).toThrow(refusal)
    }),
    { numRuns: 1000 },
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      expect(() => parseCertificationRequest(text)).toThrow(refusal)
      expect(() => parsePemCertificates(`x${text}`)).toThrow(refusal)
    }),
  )
})

it('refuses a genuine request after any change, wherever it is', () => {
  fc.assert(
    fc.property(fc.nat(request.length - 1), fc.integer({ min: 1, max: 255 }), (position, difference) => {
      const changed = Buffer.from(request)
      changed[position] = (changed[position] ?? 0) ^ difference
      expect(() => parseCertificationRequest(changed)).toThrow(refusal)
    }),
    { numRuns: 500 },
  )
})

it('refuses a request with pieces left out, doubled or exchanged', () => {
  const cut = fc.tuple(fc.nat(request.length), fc.nat(request.length), fc.uint8Array({ maxLength: 20 }))
  fc.assert(
    fc.property(cut, ([a, b, inserted]) => {
      const changed = Buffer.concat([request.subarray(0, a), inserted, request.subarray(b)])
      fc.pre(!changed.equals(request))
      expect(() => parseCertificationRequest(changed)).toThrow(refusal)
    }),
    { numRuns: 500 },
  )
})

it('reads a large hostile file in time that grows with its size only', () => {
  const blocks = '-----BEGIN X-----\n'.repeat(50_000)
  const begin = performance.now()
  expect(() => parsePemCertificates(blocks)).toThrow(refusal)
  expect(() => parsePemCertificates(`-----BEGIN CERTIFICATE-----\n${'A\n'.repeat(500_000)}`)).toThrow(refusal)
  expect(() => parseName(`CN=${' '.repeat(16_000)}`)).toThrow(refusal)
  expect(() => parseName(`CN=${'\\41'.repeat(5_000)}+`)).toThrow(refusal)
  // Generous: quadratic work on a megabyte would take minutes.
  expect(performance.now() - begin).toBeLessThan(2000)
})
