import { randomBytes } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import { createTestCa } from '@sallyport/test-fixtures'
import { array, assert, asyncProperty, constantFrom, double, integer, nat, option, tuple, uint8Array } from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { count, type Element, encodeElement, nothing, objectIdentifier, octets, sequence, tagged, taggedOctets } from '../src/asn1.ts'
import { readKeystore, writeJks, writePem, writePkcs12 } from '../src/index.ts'
import { encrypt } from '../src/password-encryption.ts'

const names = ['x.pem', 'x.crt', 'x.der', 'x.p12', 'x.pfx', 'x.jks']
const password = 'secret1'
const samples: Buffer[] = []

beforeAll(async () => {
  const ca = createTestCa()
  const client = ca.issue({ subject: '/CN=client' })
  const entry = { alias: 'client', certificates: [client.certificate, ca.certificate], privateKey: client.key, password }
  samples.push(Buffer.from(writePem(entry)), Buffer.from(client.key + client.certificate), writeJks(entry, 0), await writePkcs12(entry))
  // Without checksum, so that mutations reach what is behind it.
  samples.push(
    encodeElement(
      pfx([plainSafe([keyBag(await encrypt(Buffer.from('no key'), password))]), encryptedSafe(await encrypt(Buffer.from('x'), password))]),
    ),
  )
})

/** Reads what may be anything. Whatever happens has to be an answer, or an error of ours that tells nothing of the content; and in time. */
async function behaves(name: string, content: Buffer): Promise<boolean> {
  const begin = performance.now()
  try {
    await readKeystore({ name, content, password })
  } catch (error) {
    if (!ConnectivityError.is(error, 'MESSAGE_INVALID')) throw error
    if ('cause' in error || !/^the file "x\.[a-z0-9]+" [\w ,;:#'()-]+$/.test(error.message)) throw error
  }
  return performance.now() - begin < 5_000
}

describe('files of strangers', () => {
  it('of random bytes are refused', async () => {
    const content = tuple(
      constantFrom('', '3080', '30820400020103', 'feedfeed00000002', 'feedfeed00000001'),
      uint8Array({ maxLength: 400 }),
    )
    await assert(
      asyncProperty(constantFrom(...names), content, async (name, [begin, rest]) => {
        expect(await behaves(name, Buffer.concat([Buffer.from(begin, 'hex'), rest]))).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })

  it('that were good before some bytes changed are read or refused', async () => {
    const changes = array(tuple(double({ min: 0, max: 0.999, noNaN: true }), integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    })
    await assert(
      asyncProperty(nat(samples.length - 1), changes, option(double({ min: 0, max: 1, noNaN: true })), async (index, edits, cut) => {
        const sample = samples[index] ?? Buffer.alloc(0)
        const content = Buffer.from(sample.subarray(0, cut === null ? undefined : Math.floor(sample.length * cut)))
        for (const [place, value] of edits) content[Math.floor(content.length * place)] = value
        for (const name of ['x.pem', 'x.p12']) expect(await behaves(name, content)).toBe(true)
      }),
      { numRuns: 1_500 },
    )
  }, 60_000)

  it('that are nested without end, or larger than allowed, are refused', async () => {
    expect(await behaves('x.p12', Buffer.concat([Buffer.from('3080020103', 'hex'), Buffer.alloc(300_000, '3080', 'hex')]))).toBe(true)
    expect(await behaves('x.p12', Buffer.concat([Buffer.from('3080020103', 'hex'), Buffer.alloc(300_000, '2480', 'hex')]))).toBe(true)
    expect(await behaves('x.jks', Buffer.concat([Buffer.from('feedfeed00000001ffffffff', 'hex'), Buffer.alloc(500_000)]))).toBe(true)
    expect(await behaves('x.pem', Buffer.from('-----BEGIN '.repeat(40_000)))).toBe(true)
    expect(await behaves('x.pem', Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'.repeat(8_000)))).toBe(true)
    await expect(readKeystore({ name: 'x.pem', content: Buffer.alloc(600_000) })).rejects.toThrow(/larger than/)
  })
})

describe('derivations that would take years', () => {
  const years = 2_147_483_647
  const salt = octets(randomBytes(16))
  const hmacSha256 = sequence(objectIdentifier('1.2.840.113549.2.9'), nothing())
  const pbkdf2 = sequence(objectIdentifier('1.2.840.113549.1.5.12'), sequence(salt, count(years), hmacSha256))
  const scrypt = (n: number): Element => sequence(objectIdentifier('1.3.6.1.4.1.11591.4.11'), sequence(salt, count(n), count(8), count(1)))
  const aes = sequence(objectIdentifier('2.16.840.1.101.3.4.1.42'), octets(randomBytes(16)))
  const pbes2 = (derivation: Element): Element => sequence(objectIdentifier('1.2.840.113549.1.5.13'), sequence(derivation, aes))
  const older = sequence(objectIdentifier('1.2.840.113549.1.12.1.3'), sequence(salt, count(years)))
  const encrypted = randomBytes(64)
  const mac = (algorithm: Element, iterations: number): Element =>
    sequence(sequence(algorithm, octets(randomBytes(32))), salt, count(iterations))
  const pbmac1 = sequence(
    objectIdentifier('1.2.840.113549.1.5.14'),
    sequence(sequence(objectIdentifier('1.2.840.113549.1.5.12'), sequence(salt, count(years), count(32), hmacSha256)), hmacSha256),
  )
  const hidden = (algorithm: Element): Buffer => encodeElement(sequence(keyBag({ algorithm, encrypted })))

  const files: readonly (readonly [string, Element])[] = [
    ['the checksum', pfx([], mac(sequence(objectIdentifier('2.16.840.1.101.3.4.2.1'), nothing()), years))],
    ['the newer checksum', pfx([], mac(pbmac1, 1))],
    ['the certificates, PBKDF2', pfx([encryptedSafe({ algorithm: pbes2(pbkdf2), encrypted })])],
    ['the certificates, scrypt', pfx([encryptedSafe({ algorithm: pbes2(scrypt(1_048_576)), encrypted })])],
    ['the certificates, older', pfx([encryptedSafe({ algorithm: older, encrypted })])],
    ['the key, PBKDF2', pfx([plainSafe([keyBag({ algorithm: pbes2(pbkdf2), encrypted })])])],
    ['the key, older', pfx([plainSafe([keyBag({ algorithm: older, encrypted })])])],
    ['many keys together', pfx([plainSafe(Array.from({ length: 40 }, () => keyBag(encryptedWith(pbes2(scrypt(8_192))))))])],
  ]

  it.each(files)('are refused before they begin: %s', async (_, file) => {
    const begin = performance.now()
    await expect(readKeystore({ name: 'x.p12', content: encodeElement(file), password })).rejects.toThrow(
      /asks for more (?:iterations|memory)|cannot be opened/,
    )
    expect(performance.now() - begin).toBeLessThan(3_000)
  })

  it('are refused before they begin: a key among what was encrypted', async () => {
    const file = pfx([encryptedSafe(await encrypt(hidden(pbes2(pbkdf2)), password))])
    const reading = readKeystore({ name: 'x.p12', content: encodeElement(file), password })
    await expect(reading).rejects.toThrow(/asks for more iterations/)
  })

  it.each([pbes2(pbkdf2), pbes2(scrypt(1_048_576)), older])('are refused before they begin: PEM', async (algorithm) => {
    const der = encodeElement(sequence(algorithm, octets(encrypted))).toString('base64')
    const content = Buffer.from(`-----BEGIN ENCRYPTED PRIVATE KEY-----\n${der}\n-----END ENCRYPTED PRIVATE KEY-----\n`)
    await expect(readKeystore({ name: 'x.pem', content, password })).rejects.toThrow(/asks for more (?:iterations|memory)/)
  })

  function encryptedWith(algorithm: Element): { readonly algorithm: Element; readonly encrypted: Buffer } {
    return { algorithm, encrypted }
  }
})

interface Encrypted {
  readonly algorithm: Element
  readonly encrypted: Buffer
}

const data = '1.2.840.113549.1.7.1'

function pfx(safes: readonly Element[], mac?: Element): Element {
  const content = sequence(objectIdentifier(data), tagged(0, octets(encodeElement(sequence(...safes)))))
  return sequence(count(3), content, ...(mac === undefined ? [] : [mac]))
}

function plainSafe(bags: readonly Element[]): Element {
  return sequence(objectIdentifier(data), tagged(0, octets(encodeElement(sequence(...bags)))))
}

function encryptedSafe({ algorithm, encrypted }: Encrypted): Element {
  const info = sequence(objectIdentifier(data), algorithm, taggedOctets(0, encrypted))
  return sequence(objectIdentifier('1.2.840.113549.1.7.6'), tagged(0, sequence(count(0), info)))
}

function keyBag({ algorithm, encrypted }: Encrypted): Element {
  return sequence(objectIdentifier('1.2.840.113549.1.12.10.1.2'), tagged(0, sequence(algorithm, octets(encrypted))))
}
