import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import { sealKeyBytes, sealKeyIdBytes, sealNonceBytes, sealTagBytes } from './limits.ts'

/** What a text is sealed with: `v1` the master key, `v2` a key of one subaccount, which itself is kept sealed with the master key. */
export type SealVersion = 'v1' | 'v2'

/** A key and the name it has inside sealed texts: a part of its digest. */
export interface SealKey {
  readonly id: string
  readonly key: KeyObject
}

/** @throws ConnectivityError `CONFIGURATION_INVALID` when the key is not 32 bytes long. */
export function createSealKey(bytes: Buffer): SealKey {
  if (bytes.length !== sealKeyBytes) {
    throw new ConnectivityError('CONFIGURATION_INVALID', `a sealing key has ${bytes.length} bytes; AES-256-GCM needs ${sealKeyBytes}`)
  }
  const digest = createHash('sha256').update('sallyport sealing key id\0').update(bytes).digest()
  return { id: digest.subarray(0, sealKeyIdBytes).toString('base64url'), key: createSecretKey(bytes) }
}

/**
 * Seals with AES-256-GCM: `<version>.<key id>.<nonce, ciphertext and tag as Base64url>`. Version, key id and context are authenticated with it: a text that
 * was changed, shortened or moved to another context does not open.
 */
export function sealText(version: SealVersion, { id, key }: SealKey, plaintext: string, context: string): string {
  const nonce = randomBytes(sealNonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: sealTagBytes })
  cipher.setAAD(boundData(version, id, context))
  const body = Buffer.concat([nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${version}.${id}.${body.toString('base64url')}`
}

/** Version and key id of a sealed text. @throws ConnectivityError `STORE_FAILED` when it is none. */
export function parseSealedText(sealed: string): { readonly version: SealVersion; readonly keyId: string; readonly body: string } {
  const [, version, keyId = '', body = ''] = /^(\w+)\.([\w-]+)\.([\w-]+)$/.exec(sealed) ?? []
  if (version !== 'v1' && version !== 'v2') throw notOpened('it is not a sealed text of a known version')
  return { version, keyId, body }
}

/** @throws ConnectivityError `STORE_FAILED` when the key is not among `keys`, or the text was changed or belongs to another context. */
export function openText(sealed: string, keys: ReadonlyMap<string, SealKey>, context: string): string {
  const { version, keyId, body: encoded } = parseSealedText(sealed)
  const key = keys.get(keyId)
  if (key === undefined) throw notOpened(`its key ${keyId} is not at hand`)
  const body = Buffer.from(encoded, 'base64url')
  if (body.length < sealNonceBytes + sealTagBytes) throw notOpened('it is too short')
  const decipher = createDecipheriv('aes-256-gcm', key.key, body.subarray(0, sealNonceBytes), { authTagLength: sealTagBytes })
  decipher.setAAD(boundData(version, keyId, context))
  decipher.setAuthTag(body.subarray(-sealTagBytes))
  try {
    return Buffer.concat([decipher.update(body.subarray(sealNonceBytes, -sealTagBytes)), decipher.final()]).toString('utf8')
  } catch {
    // The cause says no more than this, and might say something about the plaintext one day.
    throw notOpened('it was changed, or belongs to another place')
  }
}

/** What is authenticated beside the text. */
function boundData(version: SealVersion, keyId: string, context: string): Buffer {
  return Buffer.from(`${version}.${keyId}.${context}`, 'utf8')
}

function notOpened(why: string): ConnectivityError {
  return new ConnectivityError(
    'STORE_FAILED',
    `opening a sealed value: ${why}; check that the sealing keys are those the data was written with`,
  )
}
