import { createHash, createHmac, randomBytes } from 'node:crypto'
import {
  bmpText,
  count,
  type Element,
  encodeElement,
  nothing,
  objectIdentifier,
  octets,
  sequence,
  set,
  tagged,
  taggedOctets,
} from './asn1.ts'
import { readWrittenEntry, type WrittenEntry } from './written-entry.ts'
import { sha256 } from './digests.ts'
import { createKeyWork } from './key-work.ts'
import { writtenIterations } from './limits.ts'
import { encrypt } from './password-encryption.ts'
import { derivePkcs12Key } from './pkcs12-key.ts'

const data = '1.2.840.113549.1.7.1'
const encryptedData = '1.2.840.113549.1.7.6'
const bagTypes = '1.2.840.113549.1.12.10.1'
const x509Certificate = '1.2.840.113549.1.9.22.1'
const friendlyName = '1.2.840.113549.1.9.20'
const localKeyId = '1.2.840.113549.1.9.21'

/**
 * A PKCS #12 file with one private key and its chain, as JDK 17 and OpenSSL 3 write it: AES-256, PBKDF2 and a checksum with SHA-256. An empty password is one
 * as well; every reader opens such a file without being asked for any.
 */
export async function writePkcs12(entry: WrittenEntry): Promise<Buffer> {
  const { chain, key, alias, password } = readWrittenEntry(entry)
  const keyId = createHash('sha256').update(chain[0]).digest().subarray(0, 20)
  const named = set(attribute(friendlyName, bmpText(alias)), attribute(localKeyId, octets(keyId)))
  const certificateBags = chain.map((certificate, index) =>
    bag(`${bagTypes}.3`, sequence(objectIdentifier(x509Certificate), tagged(0, octets(certificate))), index === 0 ? named : undefined),
  )
  const shrouded = await encrypt(key, password)
  const keyBag = bag(`${bagTypes}.2`, sequence(shrouded.algorithm, octets(shrouded.encrypted)), named)
  const certificates = await encrypt(encodeElement(sequence(...certificateBags)), password)
  const safe = encodeElement(
    sequence(
      sequence(
        objectIdentifier(encryptedData),
        tagged(0, sequence(count(0), sequence(objectIdentifier(data), certificates.algorithm, taggedOctets(0, certificates.encrypted)))),
      ),
      contentOf(encodeElement(sequence(keyBag))),
    ),
  )
  return encodeElement(sequence(count(3), contentOf(safe), await macOf(safe, password)))
}

function contentOf(bytes: Buffer): Element {
  return sequence(objectIdentifier(data), tagged(0, octets(bytes)))
}

function bag(type: string, value: Element, attributes: Element | undefined): Element {
  return sequence(objectIdentifier(type), tagged(0, value), ...(attributes === undefined ? [] : [attributes]))
}

function attribute(name: string, value: Element): Element {
  return sequence(objectIdentifier(name), set(value))
}

async function macOf(safe: Buffer, password: string): Promise<Element> {
  const salt = randomBytes(20)
  const what = 'the file to be written'
  const key = await derivePkcs12Key(
    { purpose: 'mac', keyBytes: 32, salt, iterations: writtenIterations, digest: 'sha256' },
    { what, password, work: createKeyWork(what) },
  )
  const mac = createHmac('sha256', key).update(safe).digest()
  return sequence(sequence(sequence(objectIdentifier(sha256), nothing()), octets(mac)), octets(salt), count(writtenIterations))
}
