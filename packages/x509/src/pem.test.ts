import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { createSelfSignedCertificate, formatPem, parseName, parsePemCertificates } from './index.ts'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const make = (name: string): Buffer =>
  createSelfSignedCertificate(
    { subject: parseName(`CN=${name}`), publicKey, notBefore: new Date(0), notAfter: new Date(2e12), extensions: {} },
    privateKey,
  )
const a = make('a')
const b = make('b')

it('writes what X509Certificate writes', () => {
  expect(formatPem('CERTIFICATE', a)).toBe(new X509Certificate(a).toString())
})

it('reads every certificate of a text in order and skips what stands between', () => {
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const text = `subject=CN=a\n${formatPem('CERTIFICATE', a)}\nsome words\n${key}${formatPem('CERTIFICATE', b).replaceAll('\n', '\r\n')}`
  expect(parsePemCertificates(text)).toEqual([a, b])
  expect(parsePemCertificates(' \n')).toEqual([])
})

it.each([
  ['no block', 'certificate'],
  ['no end', formatPem('CERTIFICATE', a).slice(0, -30)],
  ['another end', formatPem('CERTIFICATE', a).replace('END CERTIFICATE', 'END X')],
  ['no base64', '-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----'],
  ['nothing inside', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----'],
  ['cut base64', '-----BEGIN CERTIFICATE-----\nMAA\n-----END CERTIFICATE-----'],
  ['no certificate inside', '-----BEGIN CERTIFICATE-----\nBAA=\n-----END CERTIFICATE-----'],
  ['bytes after the certificate', '-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----'],
  ['too many', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'.repeat(501)],
  ['too much', ' '.repeat(1_048_577)],
  ['a huge one', `-----BEGIN CERTIFICATE-----\n${Buffer.alloc(70_000).toString('base64')}\n-----END CERTIFICATE-----`],
])('refuses a text with %s', (_, text) => {
  expect(() => parsePemCertificates(text)).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
})
