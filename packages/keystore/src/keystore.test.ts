import { X509Certificate } from 'node:crypto'
import { createTestCa, type TestCa, type TestIdentity } from '@sallyport/test-fixtures'
import { beforeAll, describe, expect, it } from 'vitest'
import { isPasswordRefused, readKeystore, writeJks, writePem, writePkcs12 } from './index.ts'

let ca: TestCa
let client: TestIdentity
let other: TestIdentity

beforeAll(() => {
  ca = createTestCa()
  client = ca.issue({ subject: '/CN=client' })
  other = ca.issue({ subject: '/CN=other' })
})

const read = (name: string, content: string | Buffer, password?: string): ReturnType<typeof readKeystore> =>
  readKeystore({ name, content: Buffer.from(content), password })

describe('certificate files', () => {
  it('are one entry, leaf first, whatever the order in the file', () => {
    const entry = { certificates: [client.certificate, ca.certificate], privateKey: client.key }
    for (const content of [
      [client.key, client.certificate, ca.certificate],
      [ca.certificate, client.certificate, client.key],
      ['text in front\r\n', client.certificate, 'text between\n', client.key, ca.certificate],
    ]) {
      expect(read('client.pem', content.join('').replaceAll('\n', '\r\n'))).toEqual({ entries: [entry], trusted: [], locked: false })
    }
  })

  it('may hold several pairs, and certificates besides', () => {
    const another = createTestCa({ subject: '/CN=Another CA' })
    const content = [other.key, client.key, another.certificate, client.certificate, other.certificate].join('')
    expect(read('two.crt', content)).toEqual({
      entries: [
        { certificates: [other.certificate], privateKey: other.key },
        { certificates: [client.certificate], privateKey: client.key },
        { certificates: [another.certificate] },
      ],
      trusted: [another.certificate],
      locked: false,
    })
  })

  it('trust what belongs to no key, in the order of the file', () => {
    expect(read('trust.cer', ca.certificate + client.certificate)).toEqual({
      entries: [{ certificates: [client.certificate, ca.certificate] }],
      trusted: [ca.certificate, client.certificate],
      locked: false,
    })
  })

  it('leave out a key without its certificate', () => {
    expect(read('x.pem', other.key + client.certificate).entries).toEqual([{ certificates: [client.certificate] }])
  })

  it.each(['x.der', 'x.cer', 'x.CRT', 'x.pem'])('%s may be one certificate in DER', (name) => {
    expect(read(name, new X509Certificate(ca.certificate).raw).trusted).toEqual([ca.certificate])
  })

  it.each([
    ['nothing', ''],
    ['text', 'just text'],
    ['an unfinished block', '-----BEGIN CERTIFICATE-----\nAAAA'],
    ['a block that is not base64', '-----BEGIN CERTIFICATE-----\n§§§§\n-----END CERTIFICATE-----'],
    ['a block that is no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
    ['a block that is no key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'],
    ['headers without end', '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nAAAA\n-----END RSA PRIVATE KEY-----'],
    ['DER with something behind it', Buffer.concat([Buffer.from('30820003020101', 'hex'), Buffer.from('x')])],
  ])('with %s are refused', (_, content) => {
    const error = refusal(() => read('x.pem', content))
    expect(error).toMatchObject({ code: 'MESSAGE_INVALID' })
    expect(error).not.toHaveProperty('cause')
  })
})

describe('what is written', () => {
  it.each(['', 'secret1'])('is read back, with the password "%s"', (password) => {
    const entry = { alias: 'client', certificates: [client.certificate, ca.certificate], privateKey: client.key, password }
    const { alias, certificates, privateKey } = entry
    const expected = { entries: [{ alias, certificates, privateKey }], trusted: [], locked: false }
    expect(read('client.p12', writePkcs12(entry), password)).toEqual(expected)
    expect(read('client.jks', writeJks(entry, 0), password)).toEqual(expected)
    expect(read('client.pem', writePem(entry), password)).toEqual({ ...expected, entries: [{ certificates, privateKey }] })
  })

  it('is locked without its password', () => {
    const entry = { alias: 'client', certificates: [client.certificate], privateKey: client.key, password: 'secret1' }
    expect(() => read('client.p12', writePkcs12(entry))).toThrow(expect.toSatisfy(isPasswordRefused))
    expect(read('client.jks', writeJks(entry, 0))).toMatchObject({ locked: true, trusted: [] })
    expect(read('client.pem', writePem(entry))).toMatchObject({ locked: true })
    expect(writePem(entry)).not.toContain('BEGIN PRIVATE KEY')
  })

  it('must belong together', () => {
    const entry = { alias: 'x', certificates: [ca.certificate, client.certificate], privateKey: client.key, password: '' }
    for (const write of [writePem, writePkcs12, (mixed: typeof entry) => writeJks(mixed, 0)]) {
      expect(() => write(entry)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }))
    }
  })
})

describe('names', () => {
  it.each(['x.txt', 'x', 'pem', 'x.p12.exe', 'x.constructor', 'x.jceks'])('%s is refused', (name) => {
    expect(() => read(name, ca.certificate)).toThrow(/its extension must be pem, crt, cer, der, p12, pfx or jks/)
  })

  it('of key stores do not decide between JKS and PKCS #12, as with a JDK', () => {
    const entry = { alias: 'client', certificates: [client.certificate], privateKey: client.key, password: 'secret1' }
    expect(read('client.jks', writePkcs12(entry), 'secret1')).toEqual(read('client.pfx', writeJks(entry, 0), 'secret1'))
    expect(() => read('client.p12', ca.certificate)).toThrow(/its content of that kind/)
  })
})

function refusal(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was refused')
}
