import type { Clock, Logger } from '@sallyport/core'
import type { TrustedIssuer } from '@sallyport/tunnel'
import type { Configuration } from '../configuration/configuration.ts'
import type { CloudSettings } from './cloud-settings.ts'
import { isTrustedBy } from './identity-services.ts'

/** The token issuers that the subaccounts trust: our token service, and those of the configuration whose users are propagated, with the keys they publish. */
export interface SubaccountTrust extends Disposable {
  issuers(subaccount: string): Promise<readonly TrustedIssuer[]>
}

type Keys = TrustedIssuer['keys']

const refreshMs = 300_000
const timeoutMs = 5_000

/**
 * Fetches keys when connectors ask, and looks every five minutes whether they have changed, which is soon enough: a new key is published long before it signs.
 * `onChange` is called when they have.
 *
 * Without our own keys there is no answer. Another issuer that does not answer keeps the keys it had; before the first answer it has none, so that none of its
 * tokens holds, but stands in the list: connectors would forget what their administrators have said of it.
 */
export function createSubaccountTrust(options: {
  readonly settings: CloudSettings
  readonly configuration: Configuration
  readonly fetchKeys: (url: URL, signal: AbortSignal) => Promise<readonly Readonly<Record<string, unknown>>[]>
  readonly clock: Clock
  readonly log: Logger
  readonly onChange: () => void
}): SubaccountTrust {
  const { configuration, settings, clock, log } = options
  const { issuerOf, keysUrl } = settings.tokenService
  const others = [...configuration.identityServices, ...configuration.identityProviders].filter(({ propagatesUsers }) => propagatesUsers)
  const known = new Map<string, Keys>()
  let cancel = (): void => {}

  const fetchKeys = async (url: URL): Promise<Keys> => {
    const published = await options.fetchKeys(url, AbortSignal.timeout(timeoutMs))
    // The PEM form beside the numbers is for old clients; connectors read the numbers.
    const keys = published.map((key) => Object.fromEntries(Object.entries(key).filter(([member]) => member !== 'value')))
    known.set(url.href, keys)
    return keys
  }
  const keysOf = async (url: URL): Promise<Keys> => {
    try {
      return await fetchKeys(url)
    } catch (error) {
      log.warn({ code: 'PEER_UNREACHABLE', reason: String(error) }, 'keys of a trusted issuer could not be fetched')
      return known.get(url.href) ?? []
    }
  }
  const look = async (): Promise<void> => {
    const before = JSON.stringify([...known])
    const isFirst = known.size === 0
    try {
      await Promise.all([fetchKeys(keysUrl), ...others.map((other) => keysOf(new URL(other.keysUrl)))])
    } catch (error) {
      log.warn({ code: 'PEER_UNREACHABLE', error: String(error) }, 'keys of the token service could not be fetched')
    }
    if (!isFirst && before !== JSON.stringify([...known])) options.onChange()
    cancel = clock.after(refreshMs, () => void look())
  }
  cancel = clock.after(refreshMs, () => void look())
  const issuers = async (subaccount: string): Promise<readonly TrustedIssuer[]> => {
    const trusted = others.filter((other) => isTrustedBy(configuration, other, subaccount))
    const [own, ...foreign] = await Promise.all([fetchKeys(keysUrl), ...trusted.map((other) => keysOf(new URL(other.keysUrl)))])
    return [
      { issuer: issuerOf(subaccount), name: 'Sallyport token service', type: 'OAUTH2', keys: own },
      ...trusted.map(({ issuer, name = issuer }, at): TrustedIssuer => ({
        issuer,
        name: name.slice(0, 200),
        type: 'OIDC',
        keys: foreign[at] ?? [],
      })),
    ]
  }
  return { issuers, [Symbol.dispose]: () => cancel() }
}
