import { hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Digest, digestBytes } from './digests.ts'
import { iterationsPerTurn } from './limits.ts'
import type { Opening } from './password-encryption.ts'

/** What a key is for; the same password gives another one for each (RFC 7292 appendix B.3). */
type Purpose = 'key' | 'initialisation vector' | 'mac'
const purposes: Readonly<Record<Purpose, number>> = { key: 1, 'initialisation vector': 2, mac: 3 }

/** Octets that the hash functions take at once. */
const blockBytes: Readonly<Record<Digest, number>> = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 }

/**
 * Derives a key as RFC 7292 appendix B.2 says, after its cost has been admitted. There is no native code for it, so it lets others have their turn every now
 * and then.
 */
export async function derivePkcs12Key(
  { purpose, keyBytes, salt, iterations, digest }: { purpose: Purpose; keyBytes: number; salt: Buffer; iterations: number; digest: Digest },
  { password, work }: Opening,
): Promise<Buffer> {
  work.spend('pkcs12', { iterations, keyBytes, digestBytes: digestBytes[digest], salt })
  const block = blockBytes[digest]
  const diversifier = Buffer.alloc(block, purposes[purpose])
  const input = Buffer.concat([filled(salt, block), filled(passwordOctets(password), block)])
  const parts: Buffer[] = []
  for (let length = 0; length < keyBytes; length += digestBytes[digest]) {
    let part = hash(digest, Buffer.concat([diversifier, input]), 'buffer')
    for (let round = 1; round < iterations; round++) {
      part = hash(digest, part, 'buffer')
      if (round % iterationsPerTurn === 0) await nextTurn()
    }
    parts.push(part)
    addToEach(input, filled(part, block).subarray(0, block))
  }
  return Buffer.concat(parts).subarray(0, keyBytes)
}

/** Repeated up to the next multiple of a block; nothing stays nothing. */
function filled(octets: Buffer, block: number): Buffer {
  const result = Buffer.alloc(Math.ceil(octets.length / block) * block)
  for (let offset = 0; offset < result.length; offset += octets.length) octets.copy(result, offset)
  return result
}

/** UTF-16 with the most significant octet first and two zeros at the end; no password has no octets at all. */
function passwordOctets(password: string | null): Buffer {
  return password === null ? Buffer.alloc(0) : Buffer.from(`${password}\u0000`, 'utf16le').swap16()
}

/** Adds a number, and one, to each block of the input, without what does not fit. */
function addToEach(input: Buffer, addend: Buffer): void {
  for (let start = 0; start < input.length; start += addend.length) {
    let carry = 1
    for (let index = addend.length - 1; index >= 0; index--) {
      const sum = (input[start + index] ?? 0) + (addend[index] ?? 0) + carry
      input[start + index] = sum & 0xff
      carry = sum >> 8
    }
  }
}
