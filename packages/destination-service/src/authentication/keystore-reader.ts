import { createHash } from 'node:crypto'
import { type Keystore, type KeystoreFile, readKeystore } from '@sallyport/keystore'
import { maxRememberedKeystoreBytes, maxRememberedKeystores } from '../limits.ts'

/** Opens a key store or trust store. @throws ConnectivityError `MESSAGE_INVALID` when it cannot be read. */
export type KeystoreReader = (file: KeystoreFile) => Promise<Keystore>

interface Outcome {
  readonly bytes: number
  readonly keystore: Promise<Keystore>
}

/**
 * A reader that remembers what it has read, failures as well: opening a key store may take seconds, on purpose of whoever made it, and the same one is needed
 * with every look-up of a destination. Look-ups at the same time share one reading.
 */
export function createKeystoreReader(): KeystoreReader {
  const outcomes = new Map<string, Outcome>()
  let bytes = 0

  const remember = (name: string, outcome: Outcome): void => {
    outcomes.set(name, outcome)
    bytes += outcome.bytes
    for (const [oldest, { bytes: freed }] of outcomes) {
      if (outcomes.size <= maxRememberedKeystores && bytes <= maxRememberedKeystoreBytes) break
      outcomes.delete(oldest)
      bytes -= freed
    }
  }

  return (file) => {
    const name = createHash('sha256')
      .update(JSON.stringify([file.name, file.password ?? null]))
      .update(file.content)
      .digest('base64')
    let outcome = outcomes.get(name)
    if (outcome === undefined) {
      outcome = read(file)
      remember(name, outcome)
    } else {
      // Used last goes last.
      outcomes.delete(name)
      outcomes.set(name, outcome)
    }
    return outcome.keystore
  }
}

function read(file: KeystoreFile): Outcome {
  const keystore = readKeystore(file)
  // Whoever asks gets the failure; without a listener of its own it would count as one that nobody has seen.
  keystore.catch(() => {})
  return { bytes: file.content.length, keystore }
}
