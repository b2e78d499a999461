import type { Sealer } from '@sallyport/core'
import { createSealKey, openText, parseSealedText, type SealKey, sealText } from './sealed-text.ts'

/** Keys of 32 bytes. `current` seals; texts sealed with one of the `previous` can still be opened, until everything has been sealed again. */
export interface SealKeys {
  readonly current: Buffer
  readonly previous?: readonly Buffer[]
}

/** A sealer that also tells which texts wait to be sealed again. */
export interface MasterSealer extends Sealer {
  /** Whether a text is sealed with the current key. */
  isCurrent(sealed: string): boolean
}

/**
 * Seals texts with AES-256-GCM and the master key.
 *
 * With a function the keys are asked for again whenever a text has a key that is not known, and before anything is sealed: a key that was changed in its file
 * is used without a restart. Sealing with the master key is rare, since subaccounts have keys of their own.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when a key is not 32 bytes long.
 */
export function createSealer(source: SealKeys | (() => SealKeys)): MasterSealer {
  const load = (): { current: SealKey; byId: ReadonlyMap<string, SealKey> } => {
    const { current, previous = [] } = typeof source === 'function' ? source() : source
    const keys = [...previous, current].map((bytes) => createSealKey(bytes))
    return { current: createSealKey(current), byId: new Map(keys.map((key) => [key.id, key])) }
  }
  let keys = load()
  const latest = (): typeof keys => (typeof source === 'function' ? (keys = load()) : keys)
  return {
    seal: (plaintext, context) => sealText('v1', latest().current, plaintext, context),
    open(sealed, context) {
      const { byId } = keys.byId.has(parseSealedText(sealed).keyId) ? keys : latest()
      return openText(sealed, byId, context)
    },
    isCurrent(sealed) {
      const { version, keyId } = parseSealedText(sealed)
      return version === 'v1' && keyId === latest().current.id
    },
  }
}
