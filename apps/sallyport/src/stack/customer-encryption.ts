import { ConnectivityError } from '@sallyport/core'
import type { SubaccountEncryption } from '@sallyport/destination-service'
import type { CustomerKeys, CustomerKeyState } from '@sallyport/store'
import type { Configuration } from '../configuration/configuration.ts'
import { subaccountsOf } from './cloud-settings.ts'

/** What may be done about the key of a subaccount: the configuration says which key it is, so that nobody can name another's. */
export interface CustomerEncryption extends SubaccountEncryption {
  /** Every subaccount that has a key, or may have one. */
  list(): Promise<readonly SubaccountEncryptionEntry[]>
  /** @returns `false` when the subaccount is encrypted with this key already. */
  use(subaccountId: string): Promise<boolean>
}

/** One line for the operator. */
export interface SubaccountEncryptionEntry {
  readonly subaccount: string
  /** `off`: the configuration names a key, and nobody has taken it into use. */
  readonly state: CustomerKeyState['state'] | 'off'
  readonly system: string
  readonly key: string
  readonly since?: string
  readonly settled?: boolean
  readonly version?: string
  readonly algorithm?: string
  readonly reason?: string
}

export function createCustomerEncryption(configuration: Configuration, customerKeys: CustomerKeys): CustomerEncryption {
  const configured = (subaccountId: string): { readonly system: string; readonly key: string } | undefined =>
    subaccountsOf(configuration).find(({ id }) => id === subaccountId)?.customerKey

  const required = (subaccountId: string): { readonly system: string; readonly key: string } => {
    const key = configured(subaccountId)
    if (key !== undefined) return key
    throw new ConnectivityError('NOT_FOUND', `the configuration names no key of a customer for the subaccount ${subaccountId}`, {
      details: { next: 'add customerKey: { system, key } to the subaccount, and the system to storage.keyManagement' },
    })
  }

  return {
    async list() {
      const states = await customerKeys.states()
      const off = subaccountsOf(configuration).filter(
        ({ id, customerKey }) => customerKey !== undefined && !states.some((state) => state.subaccountId === id),
      )
      return [
        ...states.map(entryOf),
        ...off.map(({ id, customerKey }) => ({
          subaccount: id,
          state: 'off' as const,
          system: customerKey?.system ?? '',
          key: customerKey?.key ?? '',
        })),
      ]
    },
    async find(subaccountId) {
      const [state] = await customerKeys.states(subaccountId)
      const offered = configured(subaccountId) !== undefined
      if (state === undefined) return { keyOwner: 'operator', offered }
      const { system, key, sinceMs, settled, description = {} } = state
      return {
        keyOwner: 'customer',
        offered,
        system,
        key,
        since: new Date(sinceMs).toISOString(),
        settled,
        state: state.state,
        ...description,
      }
    },
    async use(subaccountId) {
      const wanted = required(subaccountId)
      const [state] = await customerKeys.states(subaccountId)
      if (state !== undefined && state.system === wanted.system && state.key === wanted.key) return false
      await customerKeys.use(subaccountId, wanted)
      return true
    },
    async rotate(subaccountId) {
      const [state] = await customerKeys.states(subaccountId)
      if (state === undefined)
        throw new ConnectivityError('NOT_FOUND', `the subaccount ${subaccountId} is not encrypted with a key of its owner`)
      await customerKeys.use(subaccountId, required(subaccountId))
    },
    release: (subaccountId) => customerKeys.release(subaccountId),
  }
}

function entryOf({
  subaccountId,
  system,
  key,
  sinceMs,
  settled,
  state,
  description = {},
  reason,
}: CustomerKeyState): SubaccountEncryptionEntry {
  return {
    subaccount: subaccountId,
    state,
    system,
    key,
    since: new Date(sinceMs).toISOString(),
    settled,
    ...description,
    ...(reason === undefined ? {} : { reason }),
  }
}
