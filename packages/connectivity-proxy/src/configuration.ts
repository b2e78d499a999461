import { ConnectivityError } from '@sallyport/core'
import { z } from 'zod'
import type { Tenancy } from './admission.ts'
import type { ListenerOptions } from './connectivity-proxy.ts'

const port = z.int().min(0).max(65_535)

function listener(defaults: { readonly enabled: boolean; readonly port: number }) {
  return z
    .strictObject({
      enabled: z.boolean().default(defaults.enabled).describe('opens the listener'),
      port: port.default(defaults.port).describe('0 lets the system choose'),
      enableProxyAuthorization: z.boolean().default(true).describe('demands a token of the allowed client'),
      allowRemoteConnections: z.boolean().default(true).describe('false: only for clients on the same machine'),
    })
    .prefault({})
}

/** The `config` subtree of the original's chart, as far as it concerns the entry points. Names and defaults are the original's. */
const schema = z.strictObject({
  tenantMode: z.enum(['dedicated', 'shared']).default('dedicated').describe('one fixed subaccount, or that of each token'),
  subaccountId: z.string().default('').describe('the subaccount of a dedicated proxy'),
  subaccountSubdomain: z.string().default('').describe('its subdomain; needed when a listener asks for no token'),
  displayName: z.string().max(250).optional().describe('name shown to administrators'),
  servers: z
    .strictObject({
      proxy: z
        .strictObject({
          authorization: z
            .strictObject({
              oauth: z.strictObject({ allowedClientId: z.string().default('').describe('client whose tokens are accepted') }).prefault({}),
            })
            .prefault({}),
          clientConnection: z
            .strictObject({
              writeTimeoutSeconds: z
                .int()
                .min(1)
                .max(3600)
                .default(10)
                .describe('an application that reads nothing for so long is cut off'),
            })
            .prefault({}),
          http: listener({ enabled: false, port: 20_003 }),
          socks5: listener({ enabled: true, port: 20_004 }),
        })
        .prefault({}),
    })
    .prefault({}),
})

/** What {@link parseProxyConfiguration} makes of a configuration, to be laid over the options of the proxy. */
export interface ProxyConfiguration {
  readonly tenancy: Tenancy
  readonly allowedClients: ReadonlySet<string>
  readonly listeners: { readonly http?: ListenerOptions; readonly socks5?: ListenerOptions }
  readonly limits: { readonly writeTimeoutMs: number }
}

/**
 * Reads the `config` subtree of the original's chart. Unknown keys are errors.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` with every problem and its path at once.
 */
export function parseProxyConfiguration(value: unknown): ProxyConfiguration {
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    throw invalid(
      parsed.error.issues.map((issue) => {
        const path = issue.path.join('.')
        return `${path === '' ? 'configuration' : path}: ${issue.message}`
      }),
    )
  }
  const problems = rules.flatMap((rule) => rule(parsed.data))
  if (problems.length > 0) throw invalid(problems)
  return normalise(parsed.data)
}

type Parsed = z.infer<typeof schema>
type Rule = (configuration: Parsed) => string[]

const rules: readonly Rule[] = [dedicatedNeedsSubaccount, trustedNeedsSubdomain, authorizationNeedsClient, somethingIsEnabled]

function dedicatedNeedsSubaccount({ tenantMode, subaccountId }: Parsed): string[] {
  return tenantMode === 'dedicated' && subaccountId === '' ? ['subaccountId: is needed when tenantMode is dedicated'] : []
}

function trustedNeedsSubdomain(configuration: Parsed): string[] {
  const { tenantMode, subaccountSubdomain } = configuration
  const trusted = enabled(configuration).some((one) => !one.enableProxyAuthorization)
  return tenantMode === 'dedicated' && trusted && subaccountSubdomain === ''
    ? ['subaccountSubdomain: is needed when tenantMode is dedicated and a listener has no proxy authorization']
    : []
}

function authorizationNeedsClient(configuration: Parsed): string[] {
  const { allowedClientId } = configuration.servers.proxy.authorization.oauth
  return enabled(configuration).some((one) => one.enableProxyAuthorization) && allowedClientId === ''
    ? ['servers.proxy.authorization.oauth.allowedClientId: is needed when a listener has proxy authorization']
    : []
}

function somethingIsEnabled(configuration: Parsed): string[] {
  return enabled(configuration).length === 0 ? ['servers.proxy: no listener is enabled'] : []
}

function enabled({ servers }: Parsed): Parsed['servers']['proxy']['http'][] {
  return [servers.proxy.http, servers.proxy.socks5].filter((one) => one.enabled)
}

function normalise({ tenantMode, subaccountId, servers }: Parsed): ProxyConfiguration {
  const { authorization, clientConnection, http, socks5 } = servers.proxy
  const options = ({ allowRemoteConnections, enableProxyAuthorization, port: number }: typeof http): ListenerOptions => ({
    host: allowRemoteConnections ? '0.0.0.0' : '127.0.0.1',
    port: number,
    authorization: enableProxyAuthorization,
    allowRemoteConnections,
  })
  const { allowedClientId } = authorization.oauth
  return {
    tenancy: tenantMode === 'dedicated' ? { mode: 'dedicated', subaccount: subaccountId } : { mode: 'shared' },
    allowedClients: new Set(allowedClientId === '' ? [] : [allowedClientId]),
    listeners: { ...(http.enabled ? { http: options(http) } : {}), ...(socks5.enabled ? { socks5: options(socks5) } : {}) },
    limits: { writeTimeoutMs: clientConnection.writeTimeoutSeconds * 1000 },
  }
}

function invalid(problems: readonly string[]): ConnectivityError {
  return new ConnectivityError(
    'CONFIGURATION_INVALID',
    `the configuration of the connectivity proxy is not valid:\n${problems.map((text) => `- ${text}`).join('\n')}`,
  )
}
