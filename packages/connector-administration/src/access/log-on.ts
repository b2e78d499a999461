import type { KnownUser, UserStore } from './user-store.ts'
import type { LogOnLock } from './log-on-lock.ts'
import type { OnRefused } from './log-on-refusals.ts'

/** Checks a user and password that came from an address. */
export type LogOn = (name: string, password: string, address: string) => Promise<KnownUser | undefined>

/**
 * Asks the store that is in force now. Five wrong passwords lock a user for the address that they came from; its failures to answer do not count. Attempts that come
 * at the same time are asked together only as far as all of them may fail; the others wait for their answers, so that many at once are no way around the lock, and
 * no lock for a client whose password is right.
 */
export function createLogOn(options: {
  readonly store: () => UserStore
  readonly lock: LogOnLock
  /** Told about every wrong password; not about attempts while the user is locked. */
  readonly onRefused?: OnRefused
}): LogOn {
  const { lock, onRefused, store } = options
  const underWay = new Map<string, { attempts: number; waiting: (() => void)[] }>()

  /** Whether an attempt may be made; then `leave` has to follow. */
  const enter = async (party: string): Promise<boolean> => {
    for (;;) {
      const left = lock.attemptsLeft(party)
      if (left === 0) return false
      const now = underWay.get(party) ?? { attempts: 0, waiting: [] }
      underWay.set(party, now)
      if (now.attempts < left) {
        now.attempts += 1
        return true
      }
      await new Promise<void>((resolve) => now.waiting.push(resolve))
    }
  }
  const leave = (party: string): void => {
    const now = underWay.get(party)
    if (now === undefined) return
    now.attempts -= 1
    if (now.attempts === 0) underWay.delete(party)
    for (const wake of now.waiting.splice(0)) wake()
  }

  return async (name, password, address) => {
    const party = JSON.stringify([foldedName(name), address])
    if (!(await enter(party))) return undefined
    try {
      const user = await store().logOn(name, password)
      if (user === undefined) {
        lock.failed(party)
        onRefused?.(
          name,
          address,
          lock.isLocked(party) ? 'the password is wrong, and the user is locked for this address now' : 'the password is wrong',
        )
      } else lock.succeeded(party)
      return user
    } finally {
      leave(party)
    }
  }
}

/** Directories take names that differ only in case, spaces, width or what cannot be seen for the same user (RFC 4518), so they are counted as one. */
function foldedName(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu, '')
    .trim()
}
