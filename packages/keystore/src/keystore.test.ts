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
  it('are one entry, leaf first, whatever the order in the file', async () => {
    const entry = { certificates: [client.certificate, ca.certificate], privateKey: client.key }
    for (const content of [
      [client.key, client.certificate, ca.certificate],
      [ca.certificate, client.certificate, client.key],
      ['text in front\r\n', client.certificate, 'text between\n', client.key, ca.certificate],
    ]) {
      expect(await read('client.pem', content.join('').replaceAll('\n', '\r\n'))).toEqual({ entries: [entry], trusted: [], locked: false })
    }
  })

  it('may hold several pairs, and certificates besides', async () => {
    const another = createTestCa({ subject: '/CN=Another CA' })
    const content = [other.key, client.key, another.certificate, client.certificate, other.certificate].join('')
    expect(await read('two.crt', content)).toEqual({
      entries: [
        { certificates: [other.certificate], privateKey: other.key },
        { certificates: [client.certificate], privateKey: client.key },
        { certificates: [another.certificate] },
      ],
      trusted: [another.certificate],
      locked: false,
    })
  })

  it('trust what belongs to no key, in the order of the file', async () => {
    expect(await read('trust.cer', ca.certificate + client.certificate)).toEqual({
      entries: [{ certificates: [client.certificate, ca.certificate] }],
      trusted: [ca.certificate, client.certificate],
      locked: false,
    })
  })

  it('leave out a key without its certificate', async () => {
    expect((await read('x.pem', other.key + client.certificate)).entries).toEqual([{ certificates: [client.certificate] }])
  })

  it.each(['x.der', 'x.cer', 'x.CRT', 'x.pem'])('%s may be one certificate in DER', async (name) => {
    expect((await read(name, new X509Certificate(ca.certificate).raw)).trusted).toEqual([ca.certificate])
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
  ])('with %s are refused', async (_, content) => {
    const error = await refusal(read('x.pem', content))
    expect(error).toMatchObject({ code: 'MESSAGE_INVALID' })
    expect(error).not.toHaveProperty('cause')
  })
})

describe('what is written', () => {
  it.each(['', 'secret1'])('is read back, with the password "%s"', async (password) => {
    const entry = { alias: 'client', certificates: [client.certificate, ca.certificate], privateKey: client.key, password }
    const { alias, certificates, privateKey } = entry
    const expected = { entries: [{ alias, certificates, privateKey }], trusted: [], locked: false }
    expect(await read('client.p12', await writePkcs12(entry), password)).toEqual(expected)
    expect(await read('client.jks', writeJks(entry, 0), password)).toEqual(expected)
    expect(await read('client.pem', writePem(entry), password)).toEqual({ ...expected, entries: [{ certificates, privateKey }] })
  })

  it('is locked without its password', async () => {
    const entry = { alias: 'client', certificates: [client.certificate], privateKey: client.key, password: 'secret1' }
    await expect(read('client.p12', await writePkcs12(entry))).rejects.toThrow(expect.toSatisfy(isPasswordRefused))
    expect(await read('client.jks', writeJks(entry, 0))).toMatchObject({ locked: true, trusted: [] })
    expect(await read('client.pem', writePem(entry))).toMatchObject({ locked: true })
    expect(writePem(entry)).not.toContain('BEGIN PRIVATE KEY')
  })

  it('must belong together', async () => {
    const entry = { alias: 'x', certificates: [ca.certificate, client.certificate], privateKey: client.key, password: '' }
    for (const write of [writePem, writePkcs12, (mixed: typeof entry) => writeJks(mixed, 0)]) {
      await expect((async () => write(entry))()).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    }
  })

  it('lets others have their turns while it is read', async () => {
    const entry = { alias: 'client', certificates: [client.certificate], privateKey: client.key, password: 'secret1' }
    const content = await writePkcs12(entry)
    let turns = 0
    let done = false
    const count = (): void => {
      turns++
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    await read('client.p12', content, 'secret1')
    done = true
    expect(turns).toBeGreaterThan(5)
  })
})

describe('names', () => {
  it.each(['x.txt', 'x', 'pem', 'x.p12.exe', 'x.constructor', 'x.jceks'])('%s is refused', async (name) => {
    await expect(read(name, ca.certificate)).rejects.toThrow(/its extension must be pem, crt, cer, der, p12, pfx or jks/)
  })

  it('of key stores do not decide between JKS and PKCS #12, as with a JDK', async () => {
    const entry = { alias: 'client', certificates: [client.certificate], privateKey: client.key, password: 'secret1' }
    expect(await read('client.jks', await writePkcs12(entry), 'secret1')).toEqual(await read('client.pfx', writeJks(entry, 0), 'secret1'))
    await expect(read('client.p12', ca.certificate)).rejects.toThrow(/its content of that kind/)
  })
})

async function refusal(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('nothing was refused')
}
