import { ConnectivityError, type Logger } from '@sallyport/core'
import type { KnownUser, UserStore } from '../access/user-store.ts'
import type { LdapSettings } from './ldap-store-settings.ts'
import { createLdapUserStore, type LdapAnswer, type LdapUserStore } from './ldap-user-store.ts'

/**
 * All directories as one store. They are asked in order, and the first one that knows the user decides about his roles. One that cannot be asked is passed over; when
 * nobody knows the user then, it is not known whether he may log on.
 */
export function createLdapDirectories({ stores, trust }: LdapSettings, log: Logger): UserStore {
  const ask = async (question: (store: LdapUserStore) => Promise<LdapAnswer>): Promise<KnownUser | undefined> => {
    let failure: unknown
    for (const settings of stores) {
      try {
        const answer = await question(createLdapUserStore(settings, { trust }))
        if (answer.kind === 'known') return answer.user
        if (answer.kind === 'refused') return undefined
      } catch (error) {
        log.warn(
          {
            code: ConnectivityError.is(error) ? error.code : 'PEER_UNREACHABLE',
            reason: error instanceof Error ? error.message : 'unknown',
          },
          'a directory of users cannot be asked',
        )
        failure ??= error
      }
    }
    if (failure === undefined) return undefined
    throw new ConnectivityError('SERVICE_UNAVAILABLE', 'no directory of users knows this one, and not all can be asked now; see the log', {
      cause: failure,
    })
  }
  return {
    logOn: (name, password) => ask((store) => store.logOn(name, password)),
    find: (name) => ask((store) => store.find(name)),
  }
}
