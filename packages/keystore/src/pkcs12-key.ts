import forge from 'node-forge'
import { type Digest, digestBytes } from './digests.ts'
import type { Opening } from './password-encryption.ts'

/** Derives a key as RFC 7292 appendix B says, after its cost has been admitted: purpose 1 is a key, 2 an initialisation vector, 3 the key of a MAC. */
export function derivePkcs12Key(
  {
    purpose,
    keyBytes,
    salt,
    iterations,
    digest,
  }: { purpose: 1 | 2 | 3; keyBytes: number; salt: Buffer; iterations: number; digest: Digest },
  { password, work }: Opening,
): Buffer {
  work.spend('pkcs12', { iterations, keyBytes, digestBytes: digestBytes[digest], salt })
  const bytes = forge.pkcs12.generateKey(
    password,
    forge.util.createBuffer(salt.toString('latin1')),
    purpose,
    iterations,
    keyBytes,
    forge.md[digest].create(),
  )
  return Buffer.from(bytes.getBytes(), 'latin1')
}
