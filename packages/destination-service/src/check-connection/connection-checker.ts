import type { ConnectionVerdict, DestinationRecord } from '@sallyport/admin-api'
import { withDeadline } from '@sallyport/core'
import { createAddressBook, type ResolvedAddress } from '../authentication/address-book.ts'
import type { PrivateAddresses } from '../authentication/address-policy.ts'
import type { References } from '../authentication/authentication-request.ts'
import { createCallLimit } from '../authentication/call-limit.ts'
import { createKeystoreReader } from '../authentication/keystore-reader.ts'
import type { OnPremiseRoute } from '../authentication/on-premise-route.ts'
import { createTlsConnector } from '../authentication/outgoing-tls.ts'
import type { Level } from '../entities/entity-repository.ts'
import { malformed } from '../http/answer.ts'
import { checkTimeoutMs, maxRunningChecks, maxRunningChecksPerSubaccount } from '../limits.ts'
import { checkOnInternet } from './internet-check.ts'
import { checkOnPremise } from './on-premise-check.ts'

/** A destination whose target is to be reached. */
export interface CheckedDestination {
  readonly configuration: DestinationRecord
  /** Where the destination lives: its subaccount's connectors are used. */
  readonly level: Level
  readonly references: References
}

/** Says whether connections to the targets of destinations are possible. */
export interface ConnectionChecker {
  /**
   * What goes wrong on the way is a verdict.
   *
   * @throws ConnectivityError `MESSAGE_INVALID` for a destination that cannot be checked this way, `SERVICE_UNAVAILABLE` when too many are being checked.
   */
  check(destination: CheckedDestination): Promise<ConnectionVerdict>
}

/** Where checks may go, and whom they trust; the same as for calls of token services. */
export interface ConnectionCheckerOptions {
  readonly privateAddresses: PrivateAddresses
  /** Certificates (PEM) that are trusted beside the ones that Node trusts. */
  readonly certificateAuthorities?: readonly string[]
  /** Resolves names; the system's resolver unless told. */
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>
  /** How cloud connectors are reached; without it, on-premise checks fail. */
  readonly onPremise?: OnPremiseRoute
  /** What one check may take in all; ten seconds unless told. */
  readonly timeoutMs?: number
}

/** Makes the checker. Nothing is opened before the first check, and nothing stays open after one. */
export function createConnectionChecker(options: ConnectionCheckerOptions): ConnectionChecker {
  const tools = {
    addresses: createAddressBook(options),
    tls: createTlsConnector(options.certificateAuthorities ?? []),
    readKeystore: createKeystoreReader(),
  }
  const limit = createCallLimit(
    { total: maxRunningChecks, perSubaccount: maxRunningChecksPerSubaccount },
    'Too many connections are being checked',
  )
  return {
    async check(destination) {
      const { configuration } = destination
      const url = URL.parse(configuration['URL'] ?? '')
      if (configuration.Type !== 'HTTP') throw malformed(`Only destinations of the type HTTP can be checked, not ${configuration.Type}`)
      if (url === null || !['http:', 'https:'].includes(url.protocol))
        throw malformed('The URL of the destination is not an absolute http or https URL')
      const proxyType = configuration['ProxyType'] ?? 'Internet'
      if (proxyType !== 'Internet' && proxyType !== 'OnPremise')
        throw malformed(`Only destinations with the ProxyType Internet or OnPremise can be checked, not ${proxyType}`)
      return limit.run(destination.level.subaccountId, async () => {
        const deadline = withDeadline(options.timeoutMs ?? checkTimeoutMs)
        return proxyType === 'Internet'
          ? checkOnInternet(destination, url, tools, deadline)
          : checkOnPremise(destination, url, options.onPremise, deadline)
      })
    },
  }
}
