/** Hash functions that key stores may name. */
export type Digest = 'sha1' | 'sha256' | 'sha384' | 'sha512'

export const digestBytes: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

export const hmacSha256 = '1.2.840.113549.2.9'
export const sha256 = '2.16.840.1.101.3.4.2.1'

const digests: Readonly<Record<string, Digest>> = {
  '1.3.14.3.2.26': 'sha1',
  [sha256]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

const hmacs: Readonly<Record<string, Digest>> = {
  '1.2.840.113549.2.7': 'sha1',
  [hmacSha256]: 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}

/** The function with this object identifier, `undefined` for unknown and broken ones. */
export function digestOf(identifier: string): Digest | undefined {
  return digests[identifier]
}

/** The function inside the HMAC with this object identifier. */
export function digestOfHmac(identifier: string): Digest | undefined {
  return hmacs[identifier]
}
