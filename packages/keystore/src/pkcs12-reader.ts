import { createHmac, timingSafeEqual } from 'node:crypto'
import { createElementReader, type Element, encodeElement, parseElement, tryReadText } from './asn1.ts'
import { assemble, type FoundCertificate, parseCertificate } from './certificate-chains.ts'
import { digestBytes, digestOf, digestOfHmac } from './digests.ts'
import type { KeyWork } from './key-work.ts'
import type { Keystore } from './keystore.ts'
import { isPasswordRefused, passwordRefused, unreadable } from './keystore-errors.ts'
import { maxAsn1Depth, maxCertificates, maxPrivateKeys } from './limits.ts'
import { decrypt, deriveKey, type Opening } from './password-encryption.ts'
import { derivePkcs12Key } from './pkcs12-key.ts'
import { type OpenedKey, openPkcs8Key } from './private-key.ts'

const data = '1.2.840.113549.1.7.1'
const encryptedData = '1.2.840.113549.1.7.6'

/** Reads PKCS #12 in password integrity mode (RFC 7292), also with the MAC of RFC 9579. */
export async function readPkcs12(
  content: Buffer,
  {
    password,
    ...rest
  }: { readonly what: string; readonly password: string | undefined; readonly keyPassword?: string | undefined; readonly work: KeyWork },
): Promise<Keystore> {
  const pfx = parseElement(content, rest.what)
  if (password !== undefined && password !== '') return open(pfx, { password, ...rest })
  try {
    return await open(pfx, { password: '', ...rest })
  } catch (error) {
    // Some programs write an empty password, others none at all; the two derive different keys.
    if (!isPasswordRefused(error)) throw error
    return open(pfx, { password: null, ...rest })
  }
}

async function open(pfx: Element, opening: Opening): Promise<Keystore> {
  const { what } = opening
  const read = createElementReader(what)
  const [version, authSafe, macData] = read.list(pfx)
  if (read.count(version) !== 3) throw unreadable(what, 'is PKCS #12 of an unknown version')
  const [contentType, contentElement] = read.list(authSafe)
  if (read.objectIdentifier(contentType) !== data) throw unreadable(what, 'is protected by a signature, which is not supported')
  const safe = read.octets(read.tagged(contentElement, 0)[0])
  if (macData !== undefined) await verifyMac(macData, safe, opening)

  const bags: Bags = { keys: [], certificates: [] }
  for (const contentInfo of read.list(parseElement(safe, what))) {
    const [type, inner] = read.list(contentInfo)
    const [value] = read.tagged(inner, 0)
    switch (read.objectIdentifier(type)) {
      case data:
        await collect(parseElement(read.octets(value), what), bags, { opening, depth: 0 })
        break
      case encryptedData:
        await collect(parseDecrypted(await decryptContent(value, opening), opening, macData !== undefined), bags, { opening, depth: 0 })
        break
      default:
        throw unreadable(what, 'has a part that is encrypted for a recipient, which is not supported')
    }
  }
  return { ...assemble(bags.keys, bags.certificates, what), locked: false }
}

/** EncryptedData of PKCS #7: version, then type, algorithm and content. */
function decryptContent(value: Element | undefined, opening: Opening): Promise<Buffer> {
  const read = createElementReader(opening.what)
  const [, info] = read.list(value)
  const [, algorithm, encrypted] = read.list(info)
  return decrypt(algorithm, read.octets(encrypted, 0), opening)
}

/** Without a MAC, rubbish is the only sign of a wrong password. */
function parseDecrypted(plain: Buffer, { what }: Opening, verified: boolean): Element {
  try {
    return parseElement(plain, what)
  } catch (error) {
    throw verified ? error : passwordRefused(what)
  }
}

const pbmac1 = '1.2.840.113549.1.5.14'

async function verifyMac(macData: Element, safe: Buffer, opening: Opening): Promise<void> {
  const { what } = opening
  const read = createElementReader(what)
  const [digestInfo, saltElement, iterationsElement] = read.list(macData)
  const [algorithm, expectedElement] = read.list(digestInfo)
  const expected = read.octets(expectedElement)
  const [name, parameters] = read.list(algorithm)
  const identifier = read.objectIdentifier(name)
  const modern = identifier === pbmac1 ? read.list(parameters) : undefined
  const digest = modern === undefined ? digestOf(identifier) : digestOfHmac(read.objectIdentifier(read.list(modern[1])[0]))
  if (digest === undefined) throw unreadable(what, 'has a checksum of a kind that is not supported')
  const key =
    modern === undefined
      ? await derivePkcs12Key(
          {
            purpose: 'mac',
            keyBytes: digestBytes[digest],
            salt: read.octets(saltElement),
            iterations: iterationsElement === undefined ? 1 : read.count(iterationsElement),
            digest,
          },
          opening,
        )
      : await deriveKey(modern[0], undefined, opening)
  const computed = createHmac(digest, key).update(safe).digest()
  if (computed.length !== expected.length || !timingSafeEqual(computed, expected)) throw passwordRefused(what)
}

interface Bags {
  readonly keys: OpenedKey[]
  readonly certificates: FoundCertificate[]
}

const bagTypes = '1.2.840.113549.1.12.10.1'
const x509Certificate = '1.2.840.113549.1.9.22.1'
const friendlyName = '1.2.840.113549.1.9.20'

async function collect(
  contents: Element,
  bags: Bags,
  { opening, depth }: { readonly opening: Opening; readonly depth: number },
): Promise<void> {
  const { what } = opening
  const read = createElementReader(what)
  if (depth > maxAsn1Depth) throw unreadable(what, 'has bags within bags without end')
  for (const bag of read.list(contents)) {
    const [type, tagged, attributes] = read.list(bag)
    const [value] = read.tagged(tagged, 0)
    const alias = readAlias(attributes, read)
    switch (read.objectIdentifier(type)) {
      case `${bagTypes}.1`:
        bags.keys.push({ alias, key: openPkcs8Key(encodedOf(value, what), what) })
        break
      case `${bagTypes}.2`: {
        const [algorithm, encrypted] = read.list(value)
        const plain = await decrypt(algorithm, read.octets(encrypted), { ...opening, password: opening.keyPassword ?? opening.password })
        bags.keys.push({ alias, key: openPkcs8Key(plain, what) })
        break
      }
      case `${bagTypes}.3`: {
        const [certificateType, certificate] = read.list(value)
        if (read.objectIdentifier(certificateType) !== x509Certificate) break
        bags.certificates.push({ alias, certificate: parseCertificate(read.octets(read.tagged(certificate, 0)[0]), what) })
        break
      }
      case `${bagTypes}.6`:
        if (value !== undefined) await collect(value, bags, { opening, depth: depth + 1 })
        break
      default:
      // Revocation lists and secrets of other kinds are none of our business.
    }
    if (bags.keys.length > maxPrivateKeys || bags.certificates.length > maxCertificates)
      throw unreadable(what, 'has too many keys or certificates')
  }
}

function readAlias(attributes: Element | undefined, read: ReturnType<typeof createElementReader>): string | undefined {
  if (attributes === undefined) return undefined
  for (const attribute of read.list(attributes)) {
    const [name, values] = read.list(attribute)
    if (read.objectIdentifier(name) === friendlyName) return tryReadText(read.list(values)[0])
  }
  return undefined
}

function encodedOf(element: Element | undefined, what: string): Buffer {
  if (element === undefined) throw unreadable(what, 'has an empty bag')
  return encodeElement(element)
}
