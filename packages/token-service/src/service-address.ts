import { isIP } from 'node:net'
import { ConnectivityError } from '@sallyport/core'
import type { Tenant } from './tenant.ts'

/**
 * Where clients reach the service; decides `iss`, `jku` and `zdn` of tokens.
 *
 * - `loopback`: one machine, no DNS. Addresses follow the port of the https listener: `uaadomain` is `localhost:<port>`, the issuer `https://127.0.0.1:<port>`,
 *   because the official SDK wants a dot in the issuer's host.
 * - `single-host`: one host name for all tenants. `publicUrl` is what tokens name as issuer; its host needs a dot or is an IP address.
 * - `tenant-hosts`: `https://<subdomain>.<uaaDomain>` for each tenant, which needs wildcard DNS and certificate. `certDomain` is a second domain for clients
 *   that log on with certificates; the official ones derive it by replacing `authentication.` with `authentication.cert.`.
 *
 * `hostNames` lists further names, such as the one inside a cluster, under which no tenant is meant.
 */
export type ServiceAddress =
  | { readonly kind: 'loopback' }
  | { readonly kind: 'single-host'; readonly publicUrl: string; readonly uaaDomain: string; readonly hostNames?: readonly string[] }
  | {
      readonly kind: 'tenant-hosts'
      readonly uaaDomain: string
      readonly certDomain?: string
      readonly hostNames?: readonly string[]
    }

/** A {@link ServiceAddress} whose port is known. */
export interface ResolvedAddress {
  /** Host and, unless 443, port; as bindings have it. */
  readonly uaaDomain: string
  /** Claim `jku` of tokens: the key set over https. */
  readonly keySetUrl: string
  /** Origin of the pages and endpoints of a tenant. */
  baseUrl(tenant: Tenant | undefined): string
  /** Claim `iss`. */
  issuer(tenant: Tenant | undefined): string
  /** Claim `ext_attr.zdn`, where tenants have host names: clients that find it call that host. */
  zoneName(tenant: Tenant): string | undefined
  /** What a `Host` header says about the tenant. */
  tenantOf(host: string | undefined): HostTenant
}

/** The tenant in a host name: none is meant, one is named, or the name is none of ours. */
type HostTenant = { readonly kind: 'none' } | { readonly kind: 'subdomain'; readonly subdomain: string } | { readonly kind: 'unknown' }

/** @throws ConnectivityError `CONFIGURATION_INVALID` for addresses that the official clients cannot use. */
export function checkServiceAddress(address: ServiceAddress): void {
  if (address.kind === 'loopback') return
  const domains = address.kind === 'single-host' ? [address.uaaDomain] : [address.uaaDomain, ...present(address.certDomain)]
  for (const domain of domains) {
    const url = URL.parse(`https://${domain}`)
    if (url === null || url.host !== domain.toLowerCase() || domain.includes('/')) {
      throw invalid(`uaaDomain "${domain}" is not a host with an optional port; it has no scheme and no path, and port 443 is left out`)
    }
  }
  if (address.kind === 'single-host') {
    const url = URL.parse(address.publicUrl)
    if (
      url === null ||
      (url.protocol !== 'https:' && url.protocol !== 'http:') ||
      url.pathname !== '/' ||
      url.search !== '' ||
      url.hash !== ''
    ) {
      throw invalid(`publicUrl "${address.publicUrl}" is not an http or https URL without path`)
    }
    if (!url.hostname.includes('.') && !url.hostname.startsWith('[')) {
      throw invalid(
        `the host of publicUrl "${address.publicUrl}" has no dot, and clients refuse such an issuer; 127.0.0.1 works where localhost does not`,
      )
    }
  } else if (isIP(hostOf(address.uaaDomain)) !== 0) throw invalid('tenant-hosts need a domain name, not an IP address')
}

/** Completes an address. `httpsPort` is the port of the https listener, which `loopback` needs. */
export function resolveServiceAddress(address: ServiceAddress, httpsPort: number | undefined): ResolvedAddress {
  if (address.kind === 'loopback') {
    if (httpsPort === undefined) {
      throw new ConnectivityError(
        'SERVICE_UNAVAILABLE',
        'the address of the token service follows its https listener; call listenHttps first',
      )
    }
    const host = httpsPort === 443 ? 'localhost' : `localhost:${httpsPort}`
    return build({
      domains: [host],
      publicUrl: `https://127.0.0.1${httpsPort === 443 ? '' : `:${httpsPort}`}`,
      hostNames: [],
      tenantHosts: false,
    })
  }
  const hostNames = address.hostNames ?? []
  if (address.kind === 'single-host') {
    const { origin, host } = new URL(address.publicUrl)
    return build({ domains: [address.uaaDomain], publicUrl: origin, hostNames: [...hostNames, host], tenantHosts: false })
  }
  const domains = [address.uaaDomain, ...present(address.certDomain)]
  return build({ domains, publicUrl: `https://${address.uaaDomain}`, hostNames, tenantHosts: true })
}

function build(settings: {
  readonly domains: readonly string[]
  readonly publicUrl: string
  readonly hostNames: readonly string[]
  readonly tenantHosts: boolean
}): ResolvedAddress {
  const uaaDomain = settings.domains[0] ?? ''
  const domains = settings.domains.map(hostOf)
  const plainHosts = new Set([...domains, ...settings.hostNames.map(hostOf)])
  const suffixes = domains.filter((domain) => isIP(domain) === 0).map((domain) => `.${domain}`)
  const baseUrl: ResolvedAddress['baseUrl'] = (tenant) =>
    settings.tenantHosts && tenant !== undefined ? `https://${tenant.subdomain}.${uaaDomain}` : settings.publicUrl
  return {
    uaaDomain,
    keySetUrl: `https://${uaaDomain}/token_keys`,
    baseUrl,
    issuer: (tenant) => `${baseUrl(tenant)}/oauth/token`,
    zoneName: (tenant) => (settings.tenantHosts ? tenant.subdomain : undefined),
    tenantOf(header) {
      if (header === undefined) return { kind: 'none' }
      const host = hostOf(header)
      // Names without a dot are those of this machine or cluster; no tenant can have one.
      if (plainHosts.has(host) || isIP(host) !== 0 || !host.includes('.')) return { kind: 'none' }
      const suffix = suffixes.find((candidate) => host.endsWith(candidate))
      // Any other name may be meant for a tenant: answering for the client's own one would hand out the wrong token.
      return suffix === undefined ? { kind: 'unknown' } : { kind: 'subdomain', subdomain: host.slice(0, -suffix.length) }
    },
  }
}

/** Host of `host[:port]`, lower case, without the brackets of IPv6 and the dot that ends an absolute name. */
function hostOf(hostAndPort: string): string {
  const [, ipv6, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(hostAndPort.trim().toLowerCase()) ?? []
  return ipv6 ?? name.replace(/\.$/, '')
}

function present(text: string | undefined): string[] {
  return text === undefined ? [] : [text]
}

function invalid(what: string): ConnectivityError {
  return new ConnectivityError('CONFIGURATION_INVALID', `address of the token service: ${what}`)
}
