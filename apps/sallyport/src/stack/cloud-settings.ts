import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { getCACertificates } from 'node:tls'
import { ConnectivityError, type Logger } from '@sallyport/core'
import type { ServiceAddress } from '@sallyport/token-service'
import type { Configuration } from '../configuration/configuration.ts'
import type { SubaccountEntry } from '../configuration/schema.ts'
import { certificateDomain } from './bindings.ts'
import { type Identity, localNames, openAuthority } from './local-authority.ts'
import type { PartContext } from './part.ts'
import { createRequester } from './request.ts'
import { parseObject } from './tokens.ts'

/** What the parts of the cloud side know of each other: addresses from the configuration, nothing shared in memory. */
export interface CloudSettings {
  readonly host: string
  readonly publicHost: string
  readonly ports: {
    readonly tokenService: number
    readonly destinationService: number
    readonly proxyHttp: number
    readonly proxySocks5: number
    readonly tunnel: number
    readonly connectivityApi: number
  }
  /** Certificate of every TLS listener of the cloud side. */
  readonly tls: Identity
  /** Authorities that our own services trust when they call each other. PEM. */
  readonly authorities: readonly string[]
  readonly tokenService: {
    /** Where our own services ask; which tenant is meant they say in a header. */
    readonly url: string
    readonly uaadomain: string
    readonly keysUrl: URL
    readonly address: ServiceAddress
    /** Subdomain of a subaccount that has a host of its own. */
    subdomainOf(subaccount: string): string | undefined
    /** Base URL in the bindings of a subaccount. */
    urlOf(subaccount: string): string
    /** Claim `iss` of a subaccount's tokens. */
    issuerOf(subaccount: string): string
    /** Of all subaccounts, each once. */
    readonly issuers: readonly string[]
  }
  readonly destinationServiceUrl: string
}

export function cloudSettings({
  configuration,
  folder,
  ports,
  clock,
}: Pick<PartContext, 'configuration' | 'folder' | 'ports' | 'clock'>): CloudSettings {
  const { server } = configuration
  const authority = openAuthority(folder, clock, { name: 'ca', commonName: 'Sallyport Local CA' })
  const subaccounts = subaccountsOf(configuration)
  const tokenServicePort = server.tokenService.port ?? ports.tokenService
  const publicUrl = (server.tokenService.url ?? `https://127.0.0.1:${tokenServicePort}`).replace(/\/+$/, '')
  const uaadomain = server.tokenService.url === undefined ? `localhost:${tokenServicePort}` : new URL(publicUrl).host
  const { tenantHosts } = server.tokenService
  const domains = tenantHosts ? [...new Set([uaadomain, certificateDomain(uaadomain)])].map((domain) => domain.replace(/:\d+$/, '')) : []
  const names = [...new Set([server.publicHost, ...localNames(), ...domains.flatMap((domain) => [domain, `*.${domain}`])])]
  const tls =
    server.tls === undefined
      ? authority.identity('server', { subject: [{ type: 'CN', value: server.publicHost }], names })
      : readIdentity(configuration, server.tls)
  const subdomainOf = (id: string): string | undefined =>
    tenantHosts ? (subaccounts.find((entry) => entry.id === id)?.subdomain ?? id.toLowerCase()) : undefined
  const urlOf = (id: string): string => (tenantHosts ? `https://${subdomainOf(id)}.${uaadomain}` : `https://${uaadomain}`)
  const issuerOf = (id: string): string => `${tenantHosts ? urlOf(id) : publicUrl}/oauth/token`
  const destinationServicePort = server.destinationService.port ?? ports.destinationService
  return {
    host: server.host,
    publicHost: server.publicHost,
    ports: {
      tokenService: tokenServicePort,
      destinationService: destinationServicePort,
      proxyHttp: server.connectivityProxy.httpPort ?? ports.proxyHttp,
      proxySocks5: server.connectivityProxy.socks5Port ?? ports.proxySocks5,
      tunnel: server.connectivityProxy.tunnelPort ?? ports.tunnel,
      connectivityApi: server.connectivityProxy.apiPort ?? ports.connectivityApi,
    },
    tls,
    authorities: [authority.certificate],
    tokenService: {
      url: `https://${uaadomain}`,
      uaadomain,
      keysUrl: new URL(`https://${uaadomain}/token_keys`),
      address: addressOf({ url: server.tokenService.url, publicUrl, uaadomain, tenantHosts }),
      subdomainOf,
      urlOf,
      issuerOf,
      issuers: [...new Set(subaccounts.map(({ id }) => issuerOf(id)))],
    },
    destinationServiceUrl: `https://${server.publicHost}:${destinationServicePort}`,
  }
}

function addressOf(settings: {
  readonly url: string | undefined
  readonly publicUrl: string
  readonly uaadomain: string
  readonly tenantHosts: boolean
}): ServiceAddress {
  const { url, publicUrl, uaadomain, tenantHosts } = settings
  if (url === undefined) return { kind: 'loopback' }
  if (!tenantHosts) return { kind: 'single-host', publicUrl, uaaDomain: uaadomain }
  const certDomain = certificateDomain(uaadomain)
  return { kind: 'tenant-hosts', uaaDomain: uaadomain, ...(certDomain === uaadomain ? {} : { certDomain }) }
}

/** Subaccounts of the configuration; the connectors' own when it names none. */
export function subaccountsOf(configuration: Configuration): readonly SubaccountEntry[] {
  if (configuration.subaccounts.length > 0) return configuration.subaccounts
  const ids = [...new Set(configuration.connectors.map((connector) => connector.subaccount ?? 'demo'))]
  return (ids.length === 0 ? ['demo'] : ids).map((id) => ({ id, users: [], destinations: [], fragments: [] }))
}

/** Fetches key sets of the token service, and of issuers that the configuration names, for those who verify their tokens. The caller disposes. */
export function createKeyFetcher(
  settings: CloudSettings,
): AsyncDisposable & { fetchKeys(url: URL, signal: AbortSignal): Promise<readonly Readonly<Record<string, unknown>>[]> } {
  const own = createRequester({ authorities: settings.authorities })
  // Others have certificates of public authorities, or of those that NODE_EXTRA_CA_CERTS adds; for our own service they do not count.
  const foreign = createRequester({ authorities: [...getCACertificates('default'), ...settings.authorities] })
  return {
    async fetchKeys(url, signal) {
      const request = url.href === settings.tokenService.keysUrl.href ? own : foreign
      const answer = await request(url, { signal })
      const { keys } = parseObject(await answer.text())
      if (answer.status !== 200 || !Array.isArray(keys))
        throw new ConnectivityError('PROTOCOL_VIOLATION', `${url.origin}${url.pathname} answered ${answer.status} without a key set`)
      return keys as readonly Readonly<Record<string, unknown>>[]
    },
    async [Symbol.asyncDispose]() {
      await own[Symbol.asyncDispose]()
      await foreign[Symbol.asyncDispose]()
    },
  }
}

/** The life of one part in the log. */
export function partLog(log: Logger, part: string): Logger {
  return log.child({ part })
}

function readIdentity(configuration: Configuration, tls: NonNullable<Configuration['server']['tls']>): Identity {
  const read = (file: string): string => {
    const path = resolve(dirname(configuration.path), file)
    try {
      return readFileSync(path, 'utf8')
    } catch (cause) {
      throw new ConnectivityError('CONFIGURATION_INVALID', `${configuration.path} refers to ${path}, which cannot be read`, { cause })
    }
  }
  return { certificate: read(tls.certificate.file), key: read(tls.key.file) }
}
