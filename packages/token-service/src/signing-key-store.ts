import type { Secret } from '@sallyport/core'

/** A signing key as it is kept. */
export interface StoredSigningKey {
  readonly keyId: string
  /** PKCS#8 PEM. */
  readonly privateKey: Secret
  /** SubjectPublicKeyInfo PEM; the `value` of the key set. */
  readonly publicKey: string
  /** From then on the newest such key signs. */
  readonly signsFromMs: number
}

/** Keeps signing keys over restarts. Several processes may share one store. */
export interface SigningKeyStore {
  list(): Promise<readonly StoredSigningKey[]>
  /** Adds a key; with `onlyFirst` only to an empty store, so that of two processes that start at once one wins. */
  add(key: StoredSigningKey, options: { readonly onlyFirst: boolean }): Promise<void>
  remove(keyId: string): Promise<void>
}

/** A store that forgets on exit: for tests and for stacks that are thrown away. */
export function createMemorySigningKeyStore(): SigningKeyStore {
  const keys = new Map<string, StoredSigningKey>()
  return {
    list: () => Promise.resolve([...keys.values()]),
    add(key, { onlyFirst }) {
      if (!onlyFirst || keys.size === 0) keys.set(key.keyId, key)
      return Promise.resolve()
    },
    remove(keyId) {
      keys.delete(keyId)
      return Promise.resolve()
    },
  }
}
