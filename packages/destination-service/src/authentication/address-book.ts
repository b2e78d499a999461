import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { ConnectivityError } from '@sallyport/core'
import { maxResolvedAddresses } from '../limits.ts'
import { isAddressAllowed, type PrivateAddresses } from './address-policy.ts'

/** An address that a name stands for. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Resolves the hosts of outgoing calls. */
export interface AddressBook {
  /**
   * A resolver for one connection that knows only the addresses which have been looked up, and `checked`, now.
   *
   * @throws ConnectivityError `ACCESS_DENIED` when one of them must not be called, `PEER_UNREACHABLE` when there is none, `DEADLINE_EXCEEDED`.
   */
  lookUp(host: string, options: { readonly checked: boolean }, deadline: AbortSignal): Promise<LookupFunction>
}

/** Makes the resolver; without `resolve` the system's is asked. */
export function createAddressBook(options: {
  readonly privateAddresses: PrivateAddresses
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>
}): AddressBook {
  const resolve = options.resolve ?? resolveBySystem
  return {
    async lookUp(host, { checked }, deadline) {
      const family = isIP(host)
      // Name resolution counts as connecting: it ends with the deadline, although the system's resolver cannot be interrupted.
      const addresses =
        family === 0
          ? (await beforeDeadline(resolve(host), deadline)).slice(0, maxResolvedAddresses)
          : [{ address: host, family: family as 4 | 6 }]
      if (addresses.length === 0)
        throw new ConnectivityError('PEER_UNREACHABLE', 'The connection to the token service could not be established')
      // One forbidden address among several is no accident: the name is not dialled at all.
      if (checked && !addresses.every(({ address }) => isAddressAllowed(address, options.privateAddresses))) {
        throw new ConnectivityError('ACCESS_DENIED', 'The token service URL leads to an address that must not be called')
      }
      return answering(addresses)
    },
  }
}

async function resolveBySystem(host: string): Promise<readonly ResolvedAddress[]> {
  return (await lookup(host, { all: true })).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}

/** A second answer of DNS cannot replace the addresses that have been checked. */
function answering(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    if (all === true) callback(null, [...addresses])
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family)
  }
}

function beforeDeadline<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new ConnectivityError('DEADLINE_EXCEEDED', 'The token service did not answer in time'))
    if (deadline.aborted) late()
    deadline.addEventListener('abort', late, { once: true })
    void work.then(resolve, reject).finally(() => deadline.removeEventListener('abort', late))
  })
}
