import { createHash, randomBytes } from 'node:crypto'
import { encodeElement, nothing, objectIdentifier, octets, sequence } from './asn1.ts'
import { readWrittenEntry, type WrittenEntry } from './written-entry.ts'

const magic = 0xfeed_feed
const version = 2
const privateKeyTag = 1
const keyProtector = '1.3.6.1.4.1.42.2.17.1.1'
const digestBytes = 20

/**
 * A Java key store with one private key and its chain. The format encrypts the key alone and by methods of 1997 (SHA-1 of the password); PKCS #12 protects
 * better, and every JDK since version 8 reads that too. `nowMs` becomes the time of the entry.
 */
export function writeJks(entry: WrittenEntry, nowMs: number): Buffer {
  const { alias, chain, key, password } = readWrittenEntry(entry)
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(nowMs))
  const body = Buffer.concat([
    integer(magic),
    integer(version),
    integer(1),
    integer(privateKeyTag),
    // Java looks entries up in lower case, without changing what it has read.
    text(alias.toLowerCase()),
    time,
    counted(protect(key, password)),
    integer(chain.length),
    ...chain.flatMap((certificate) => [text('X.509'), counted(certificate)]),
  ])
  const checksum = createHash('sha1').update(passwordBytes(password)).update('Mighty Aphrodite').update(body).digest()
  return Buffer.concat([body, checksum])
}

/** The key, combined with a stream of digests that begins with a salt, between that salt and a digest of the plain key. */
function protect(key: Buffer, password: string): Buffer {
  const secret = passwordBytes(password)
  const salt = randomBytes(digestBytes)
  const encrypted = Buffer.from(key)
  let block = salt
  for (let offset = 0; offset < key.length; offset += digestBytes) {
    block = createHash('sha1').update(secret).update(block).digest()
    for (let index = 0; index < digestBytes && offset + index < key.length; index++) {
      encrypted[offset + index] = (key[offset + index] ?? 0) ^ (block[index] ?? 0)
    }
  }
  const check = createHash('sha1').update(secret).update(key).digest()
  const algorithm = sequence(objectIdentifier(keyProtector), nothing())
  return encodeElement(sequence(algorithm, octets(Buffer.concat([salt, encrypted, check]))))
}

/** Two octets for each UTF-16 unit, most significant first. */
function passwordBytes(password: string): Buffer {
  return Buffer.from(password, 'utf16le').swap16()
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function counted(bytes: Buffer): Buffer {
  return Buffer.concat([integer(bytes.length), bytes])
}

/** Java's `writeUTF`, which differs from UTF-8 only beyond the Basic Multilingual Plane and at NUL. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
