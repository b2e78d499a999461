import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

/** The public key that issued certificates carry. */
export interface LeafKey {
  publicKey(): Promise<KeyObject>
}

/**
 * A key pair that is made when first needed and used for every certificate. The private half is thrown away at once: nobody ever proves possession of it,
 * because only the certificate travels, in a header. Share one among issuers of a process.
 */
export function createLeafKey(kind: 'rsa' | 'ec' = 'rsa'): LeafKey {
  let key: Promise<KeyObject> | undefined
  return {
    publicKey() {
      key ??= generate(kind).catch((error: unknown) => {
        key = undefined
        throw error
      })
      return key
    },
  }
}

async function generate(kind: 'rsa' | 'ec'): Promise<KeyObject> {
  const { publicKey } =
    kind === 'rsa'
      ? await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
      : await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  return publicKey
}
