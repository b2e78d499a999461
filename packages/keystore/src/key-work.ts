import { unreadable } from './keystore-errors.ts'
import { briefShare, maxDerivedKeyBytes, maxPbkdf2Iterations, maxPkcs12Iterations, maxSaltBytes } from './limits.ts'

/** What reading one file may cost: keys are derived from passwords by work whose amount the file itself decides. */
export interface KeyWork {
  /** Takes so much from what is left, before it is done. @throws ConnectivityError `MESSAGE_INVALID` when the file asks for more than there is. */
  spend(
    kind: 'pbkdf2' | 'pkcs12',
    derivation: { readonly iterations: number; readonly keyBytes: number; readonly digestBytes: number; readonly salt: Buffer },
  ): void
  /** The same for scrypt, whose cost is what it fills with memory. */
  spendScrypt(parameters: { readonly n: number; readonly r: number; readonly p: number }): void
}

/** The work that one file may cause; shared by all of its parts. */
export function createKeyWork(what: string, effort?: 'brief'): KeyWork {
  const share = effort === 'brief' ? briefShare : 1
  const left = { pbkdf2: share * maxPbkdf2Iterations, pkcs12: share * maxPkcs12Iterations }
  const take = (kind: 'pbkdf2' | 'pkcs12', amount: number): void => {
    if (!(amount >= 1 && amount <= left[kind])) {
      throw unreadable(what, 'asks for more iterations of its key derivation than are allowed; write it again with fewer')
    }
    left[kind] -= amount
  }
  return {
    spend(kind, { iterations, keyBytes, digestBytes, salt }) {
      if (salt.length > maxSaltBytes || keyBytes > maxDerivedKeyBytes) throw unreadable(what, 'has a salt or a key that is too long')
      take(kind, iterations * Math.ceil(keyBytes / digestBytes))
    },
    spendScrypt({ n, r, p }) {
      // 32 MiB cost as much as the whole allowance of PBKDF2.
      const bytes = 128 * n * r * p
      if (128 * n * r > scryptMemoryBytes) throw unreadable(what, 'asks for more memory for its key derivation than is allowed')
      take('pbkdf2', Math.ceil(bytes / 16))
    },
  }
}

/** Memory that deriving one key with scrypt may take. */
export const scryptMemoryBytes = 33_554_432
