import type { KnownUser, UserStore } from './user-store.ts'
import type { LogOnLock } from './log-on-lock.ts'

/** Checks a user and password that came from an address. */
export type LogOn = (name: string, password: string, address: string) => Promise<KnownUser | undefined>

/** Asks the store that is in force now. Five wrong passwords lock a user for the address that they came from; its failures to answer do not count. */
export function createLogOn(options: { readonly store: () => UserStore; readonly lock: LogOnLock }): LogOn {
  const { lock, store } = options
  return async (name, password, address) => {
    const party = JSON.stringify([name, address])
    if (lock.isLocked(party)) return undefined
    const user = await store().logOn(name, password)
    if (user === undefined) lock.failed(party)
    else lock.succeeded(party)
    return user
  }
}
