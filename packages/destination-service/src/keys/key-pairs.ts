import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { ConnectivityError } from '@sallyport/core'
import { maxKeyPairsAtOnce, maxKeyPairsWaiting } from '../limits.ts'

/** A key pair, not yet certified by anybody. */
export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** Makes RSA key pairs without holding up requests: a large one takes seconds of a core. */
export interface KeyPairs {
  /** @throws ConnectivityError `SERVICE_UNAVAILABLE` when too many are waiting already. */
  generate(): Promise<KeyPair>
}

const generateRsa = promisify(generateKeyPair)

/** Keys are made by the threads that also read files and resolve names, so only a few at a time; the others wait their turn. */
export function createKeyPairs(options: { readonly rsaBits: number }): KeyPairs {
  const waiting: (() => void)[] = []
  let running = 0

  async function turn(): Promise<void> {
    if (running < maxKeyPairsAtOnce) {
      running++
      return
    }
    if (waiting.length >= maxKeyPairsWaiting) throw new ConnectivityError('SERVICE_UNAVAILABLE', 'too many keys are being made already')
    // The one that ends hands over its place.
    await new Promise<void>((resolve) => waiting.push(resolve))
  }

  return {
    async generate() {
      await turn()
      try {
        return await generateRsa('rsa', { modulusLength: options.rsaBits })
      } finally {
        const next = waiting.shift()
        if (next === undefined) running--
        else next()
      }
    },
  }
}
