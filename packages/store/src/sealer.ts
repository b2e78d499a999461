import { createCipheriv, createDecipheriv, createHash, createSecretKey, randomBytes } from 'node:crypto'
import { ConnectivityError, type Sealer } from '@sallyport/core'
import { sealKeyBytes, sealKeyIdBytes, sealNonceBytes, sealTagBytes } from './limits.ts'

const version = 'v1'

/**
 * Seals texts with AES-256-GCM. New seals use `current`; texts sealed with one of the `previous` keys can still be opened, so a key is changed by moving it
 * there and sealing everything again.
 *
 * A sealed text is `v1.<key id>.<nonce, ciphertext and tag as Base64url>`. Version, key id and context are authenticated with it: a text that was
 * changed, shortened or moved to another context does not open.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when a key is not 32 bytes long.
 */
export function createSealer(keys: { readonly current: Buffer; readonly previous?: readonly Buffer[] }): Sealer {
  const current = { id: keyIdOf(keys.current), key: createSecretKey(keys.current) }
  const byId = new Map([...(keys.previous ?? []), keys.current].map((key) => [keyIdOf(key), createSecretKey(key)]))
  return {
    seal(plaintext, context) {
      const nonce = randomBytes(sealNonceBytes)
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce, { authTagLength: sealTagBytes })
      cipher.setAAD(boundData(current.id, context))
      const body = Buffer.concat([nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${version}.${current.id}.${body.toString('base64url')}`
    },
    open(sealed, context) {
      const [, writtenVersion, id = '', encoded = ''] = /^(\w+)\.([\w-]+)\.([\w-]+)$/.exec(sealed) ?? []
      if (writtenVersion !== version) throw notOpened('it is not a sealed text of a known version')
      const key = byId.get(id)
      if (key === undefined) throw notOpened(`its key ${id} is not at hand`)
      const body = Buffer.from(encoded, 'base64url')
      if (body.length < sealNonceBytes + sealTagBytes) throw notOpened('it is too short')
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, sealNonceBytes), { authTagLength: sealTagBytes })
      decipher.setAAD(boundData(id, context))
      decipher.setAuthTag(body.subarray(-sealTagBytes))
      try {
        return Buffer.concat([decipher.update(body.subarray(sealNonceBytes, -sealTagBytes)), decipher.final()]).toString('utf8')
      } catch {
        // The cause says no more than this, and might say something about the plaintext one day.
        throw notOpened('it was changed, or belongs to another place')
      }
    },
  }
}

function boundData(keyId: string, context: string): Buffer {
  return Buffer.from(`${version}.${keyId}.${context}`, 'utf8')
}

function keyIdOf(key: Buffer): string {
  if (key.length !== sealKeyBytes) {
    throw new ConnectivityError('CONFIGURATION_INVALID', `a sealing key has ${key.length} bytes; AES-256-GCM needs ${sealKeyBytes}`)
  }
  return createHash('sha256').update('sallyport sealing key id\0').update(key).digest().subarray(0, sealKeyIdBytes).toString('base64url')
}

function notOpened(why: string): ConnectivityError {
  return new ConnectivityError(
    'STORE_FAILED',
    `opening a sealed value: ${why}; check that the sealing keys are those the data was written with`,
  )
}
