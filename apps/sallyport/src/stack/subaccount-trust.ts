import type { Clock, Logger } from '@sallyport/core'
import type { TrustedIssuer } from '@sallyport/tunnel'
import type { CloudSettings } from './cloud-settings.ts'

/** The token issuers that the subaccounts trust: our token service, with the keys it publishes. */
export interface SubaccountTrust extends Disposable {
  issuers(subaccount: string): Promise<readonly TrustedIssuer[]>
}

const refreshMs = 300_000
const timeoutMs = 5_000

/**
 * Fetches the keys of the token service when connectors ask, and looks every five minutes whether they have changed, which is soon enough: a new key is
 * published long before it signs. `onChange` is called when they have.
 */
export function createSubaccountTrust(options: {
  readonly settings: CloudSettings
  readonly fetchKeys: (url: URL, signal: AbortSignal) => Promise<readonly Readonly<Record<string, unknown>>[]>
  readonly clock: Clock
  readonly log: Logger
  readonly onChange: () => void
}): SubaccountTrust {
  const { settings, clock, log } = options
  const { issuerOf, keysUrl } = settings.tokenService
  let known: string | undefined
  let cancel = (): void => {}

  const fetchKeys = async (): Promise<TrustedIssuer['keys']> => {
    const published = await options.fetchKeys(keysUrl, AbortSignal.timeout(timeoutMs))
    // The PEM form beside the numbers is for old clients; connectors read the numbers.
    const keys = published.map((key) => Object.fromEntries(Object.entries(key).filter(([member]) => member !== 'value')))
    known = JSON.stringify(keys)
    return keys
  }
  const look = async (): Promise<void> => {
    const before = known
    try {
      await fetchKeys()
      if (before !== undefined && before !== known) options.onChange()
    } catch (error) {
      log.warn({ code: 'PEER_UNREACHABLE', error: String(error) }, 'keys of the token service could not be fetched')
    }
    cancel = clock.after(refreshMs, () => void look())
  }
  cancel = clock.after(refreshMs, () => void look())
  const issuers = async (subaccount: string): Promise<readonly TrustedIssuer[]> => [
    { issuer: issuerOf(subaccount), name: 'Sallyport token service', type: 'OAUTH2', keys: await fetchKeys() },
  ]
  return { issuers, [Symbol.dispose]: () => cancel() }
}
