import { createCipheriv, createDecipheriv, pbkdf2, randomBytes, scrypt, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import forge from 'node-forge'
import { count, createElementReader, type Element, nothing, objectIdentifier, octets, parseElement, sequence } from './asn1.ts'
import { type KeyWork, scryptMemoryBytes } from './key-work.ts'
import { passwordRefused, unreadable } from './keystore-errors.ts'
import { writtenIterations } from './limits.ts'
import { type Digest, digestBytes, digestOfHmac, hmacSha256 } from './digests.ts'
import { derivePkcs12Key } from './pkcs12-key.ts'

const runPbkdf2 = promisify(pbkdf2)
const runScrypt = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/** How something encrypted with a password is opened. A password of `null` is none at all, which PKCS #12 tells from an empty one. */
export interface Opening {
  readonly what: string
  readonly password: string | null
  /** Of private keys that have another one than the file. */
  readonly keyPassword?: string | undefined
  readonly work: KeyWork
}

/** Opens an EncryptedPrivateKeyInfo (RFC 5958); what comes out is PKCS #8, or rubbish if the password is wrong and the padding right by chance. */
export function decryptPrivateKey(der: Buffer, opening: Opening): Promise<Buffer> {
  const read = createElementReader(opening.what)
  const [algorithm, encrypted] = read.list(parseElement(der, opening.what))
  return decrypt(algorithm, read.octets(encrypted), opening)
}

/** Opens bytes encrypted with an algorithm of PKCS #5 or PKCS #12. */
export async function decrypt(algorithm: Element | undefined, encrypted: Buffer, opening: Opening): Promise<Buffer> {
  const read = createElementReader(opening.what)
  const [identifier, parameters] = read.list(algorithm)
  const name = read.objectIdentifier(identifier)
  if (name === pbes2Name) return decryptModern(parameters, encrypted, opening)
  const older = olderSchemes[name]
  if (older === undefined) throw unsupported(opening.what)
  const [saltElement, iterationsElement] = read.list(parameters)
  const salt = read.octets(saltElement)
  const iterations = read.count(iterationsElement)
  const derive = (purpose: 'key' | 'initialisation vector', keyBytes: number): Promise<Buffer> =>
    derivePkcs12Key({ purpose, keyBytes, salt, iterations, digest: 'sha1' }, opening)
  const key = await derive('key', older.keyBytes)
  const iv = await derive('initialisation vector', 8)
  if (older.cipher === 'rc2') return decryptRc2(encrypted, { key, iv, what: opening.what })
  return decryptWith(older.cipher, encrypted, { key, iv, what: opening.what })
}

const pbes2Name = '1.2.840.113549.1.5.13'
const pbkdf2Name = '1.2.840.113549.1.5.12'
const scryptName = '1.3.6.1.4.1.11591.4.11'
const aes256Name = '2.16.840.1.101.3.4.1.42'

const modernCiphers: Readonly<Record<string, { readonly cipher: string; readonly keyBytes: number; readonly ivBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { cipher: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { cipher: 'aes-192-cbc', keyBytes: 24, ivBytes: 16 },
  [aes256Name]: { cipher: 'aes-256-cbc', keyBytes: 32, ivBytes: 16 },
  '1.2.840.113549.3.7': { cipher: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
}

/** RFC 7292 appendix C, without the stream cipher RC4. */
const olderSchemes: Readonly<Record<string, { readonly cipher: string; readonly keyBytes: number }>> = {
  '1.2.840.113549.1.12.1.3': { cipher: 'des-ede3-cbc', keyBytes: 24 },
  '1.2.840.113549.1.12.1.4': { cipher: 'des-ede-cbc', keyBytes: 16 },
  '1.2.840.113549.1.12.1.5': { cipher: 'rc2', keyBytes: 16 },
  '1.2.840.113549.1.12.1.6': { cipher: 'rc2', keyBytes: 5 },
}

/** RFC 8018 §6.2. */
async function decryptModern(parameters: Element | undefined, encrypted: Buffer, opening: Opening): Promise<Buffer> {
  const { what } = opening
  const read = createElementReader(what)
  const [derivation, encryption] = read.list(parameters)
  const [cipherName, ivElement] = read.list(encryption)
  const scheme = modernCiphers[read.objectIdentifier(cipherName)]
  if (scheme === undefined) throw unsupported(what)
  const iv = read.octets(ivElement)
  if (iv.length !== scheme.ivBytes) throw unreadable(what, 'has an initialisation vector of the wrong length')
  return decryptWith(scheme.cipher, encrypted, { key: await deriveKey(derivation, scheme.keyBytes, opening), iv, what })
}

/** A key from PBKDF2 or scrypt, after its cost has been admitted. `keyBytes` of `undefined` leaves the length to the parameters. */
export async function deriveKey(
  derivation: Element | undefined,
  keyBytes: number | undefined,
  { what, password, work }: Opening,
): Promise<Buffer> {
  const read = createElementReader(what)
  const [name, parameters] = read.list(derivation)
  switch (read.objectIdentifier(name)) {
    case pbkdf2Name: {
      const { salt, iterations, written, digest } = readPbkdf2(parameters, what)
      const wanted = keyBytes ?? written
      if (wanted === undefined || (written !== undefined && written !== wanted)) throw unreadable(what, 'has a key of the wrong length')
      work.spend('pbkdf2', { iterations, keyBytes: wanted, digestBytes: digestBytes[digest], salt })
      return runPbkdf2(password ?? '', salt, iterations, wanted, digest)
    }
    case scryptName: {
      const [saltElement, n, r, p] = read.list(parameters)
      const salt = read.octets(saltElement)
      const cost = { n: read.count(n), r: read.count(r), p: read.count(p) }
      work.spendScrypt(cost)
      try {
        return await runScrypt(password ?? '', salt, keyBytes ?? 32, { N: cost.n, r: cost.r, p: cost.p, maxmem: 2 * scryptMemoryBytes })
      } catch {
        // N that is no power of two, and the like.
        throw unreadable(what, 'has parameters of its key derivation that cannot be used')
      }
    }
    default:
      throw unsupported(what)
  }
}

function readPbkdf2(
  parameters: Element | undefined,
  what: string,
): { readonly salt: Buffer; readonly iterations: number; readonly written: number | undefined; readonly digest: Digest } {
  const read = createElementReader(what)
  const [salt, iterations, ...rest] = read.list(parameters)
  const written = read.isCount(rest[0]) ? read.count(rest.shift()) : undefined
  // RFC 8018 A.2: without a name it is HMAC with SHA-1.
  const digest = rest[0] === undefined ? 'sha1' : digestOfHmac(read.objectIdentifier(read.list(rest[0])[0]))
  if (digest === undefined) throw unsupported(what)
  return { salt: read.octets(salt), iterations: read.count(iterations), written, digest }
}

interface Keyed {
  readonly key: Buffer
  readonly iv: Buffer
  readonly what: string
}

function decryptWith(cipher: string, encrypted: Buffer, { key, iv, what }: Keyed): Buffer {
  try {
    const decipher = createDecipheriv(cipher, key, iv)
    return Buffer.concat([decipher.update(encrypted), decipher.final()])
  } catch {
    // Wrong padding is all that can go wrong, and a wrong key is nearly always the reason.
    throw passwordRefused(what)
  }
}

/** OpenSSL 3 has no RC2, but Windows and older JDKs encrypt certificates with it. */
function decryptRc2(encrypted: Buffer, { key, iv, what }: Keyed): Buffer {
  if (encrypted.length === 0 || encrypted.length % 8 !== 0) throw passwordRefused(what)
  const cipher = forge.rc2.createDecryptionCipher(key.toString('latin1'), key.length * 8)
  cipher.start(iv.toString('latin1'))
  cipher.update(forge.util.createBuffer(encrypted.toString('latin1')))
  if (!cipher.finish()) throw passwordRefused(what)
  return Buffer.from(cipher.output.getBytes(), 'latin1')
}

/** Encrypts with AES-256 and PBKDF2 with SHA-256, which every reader of the last ten years opens. */
export async function encrypt(plain: Buffer, password: string): Promise<{ readonly algorithm: Element; readonly encrypted: Buffer }> {
  const salt = randomBytes(16)
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-256-cbc', await runPbkdf2(password, salt, writtenIterations, 32, 'sha256'), iv)
  const derivation = sequence(
    objectIdentifier(pbkdf2Name),
    sequence(octets(salt), count(writtenIterations), count(32), sequence(objectIdentifier(hmacSha256), nothing())),
  )
  const algorithm = sequence(objectIdentifier(pbes2Name), sequence(derivation, sequence(objectIdentifier(aes256Name), octets(iv))))
  return { algorithm, encrypted: Buffer.concat([cipher.update(plain), cipher.final()]) }
}

function unsupported(what: string): Error {
  return unreadable(what, 'is encrypted in a way that is not supported; write it again with AES-256 and PBKDF2')
}
