import type { Instances, ServiceInstance } from './instances.ts'

/** Addresses that a binding names. */
export interface BindingAddresses {
  /** Base of the token service, without path; of the tenant's own host where it has one. */
  readonly tokenServiceUrl: string
  /** Host and port of the token service, without scheme: clients build `https://<uaadomain>/oauth/token` from it. */
  readonly uaadomain: string
  readonly destinationServiceUrl: string
  readonly proxyHost: string
  readonly proxyHttpPort: number
  readonly proxySocks5Port: number
}

export interface BindingTenant {
  readonly id: string
  /** Set where tenants have hosts: clients build host names of it. */
  readonly subdomain?: string | undefined
  /** Public key of the current signing key, PEM. */
  readonly verificationKey: string
}

/** One entry of VCAP_SERVICES. */
export interface ServiceBinding {
  readonly name: string
  readonly label: string
  readonly plan: string
  readonly tags: readonly string[]
  readonly instance_guid: string
  readonly instance_name: string
  readonly binding_guid: string
  readonly binding_name: string | null
  readonly provider: null
  readonly syslog_drain_url: null
  readonly volume_mounts: readonly never[]
  readonly credentials: Readonly<Record<string, string | readonly string[]>>
}

export type VcapServices = Readonly<Record<'xsuaa' | 'destination' | 'connectivity', readonly [ServiceBinding]>>

/** PEM texts with which the client of an instance logs on in place of its secret. */
export interface BindingCertificate {
  readonly certificate: string
  readonly key: string
}

/** Where clients with a certificate go: official ones derive the name in this way. */
export function certificateDomain(uaadomain: string): string {
  return uaadomain.replace(/^authentication\./, 'authentication.cert.')
}

/**
 * The bindings as the platform would hand them to an application. Where tenants have no hosts of their own `identityzone` is left out, because clients would
 * build host names from it. `certificateOf` gives bindings of type `x509`.
 */
export function createBindings(
  instances: Instances,
  addresses: BindingAddresses,
  tenant: BindingTenant,
  certificateOf?: (instance: ServiceInstance) => BindingCertificate,
): VcapServices {
  const proof = (instance: ServiceInstance): Record<string, string> => {
    if (certificateOf === undefined) return { clientsecret: instance.clientSecret, 'credential-type': 'binding-secret' }
    const certurl = addresses.tokenServiceUrl.replace(addresses.uaadomain, certificateDomain(addresses.uaadomain))
    return { ...certificateOf(instance), certurl, 'credential-type': 'x509' }
  }
  const client = (instance: ServiceInstance): Record<string, string> => ({
    clientid: instance.clientId,
    ...proof(instance),
    ...(tenant.subdomain === undefined ? {} : { identityzone: tenant.subdomain }),
    xsappname: instance.xsappname,
    url: addresses.tokenServiceUrl,
    uaadomain: addresses.uaadomain,
    tenantid: tenant.id,
    tenantmode: 'dedicated',
    verificationkey: tenant.verificationKey,
  })
  return {
    xsuaa: [
      entry(instances.xsuaa, 'application', ['xsuaa'], { ...client(instances.xsuaa), identityzoneid: tenant.id, subaccountid: tenant.id }),
    ],
    destination: [
      entry(instances.destination, 'lite', ['destination', 'conn', 'connsvc'], {
        ...client(instances.destination),
        uri: addresses.destinationServiceUrl,
        instanceid: instances.destination.instanceId,
      }),
    ],
    connectivity: [
      entry(instances.connectivity, 'lite', ['connectivity', 'conn', 'connsvc'], {
        ...client(instances.connectivity),
        token_service_url: addresses.tokenServiceUrl,
        token_service_domain: addresses.uaadomain,
        'token-type': ['xsuaa'],
        onpremise_proxy_host: addresses.proxyHost,
        onpremise_proxy_port: String(addresses.proxyHttpPort),
        onpremise_proxy_http_port: String(addresses.proxyHttpPort),
        onpremise_socks5_proxy_port: String(addresses.proxySocks5Port),
      }),
    ],
  }
}

function entry(
  instance: ServiceInstance,
  plan: string,
  tags: readonly string[],
  credentials: ServiceBinding['credentials'],
): ServiceBinding {
  return {
    name: instance.name,
    label: instance.service,
    plan,
    tags,
    instance_guid: instance.instanceId,
    instance_name: instance.name,
    binding_guid: instance.instanceId,
    binding_name: null,
    provider: null,
    syslog_drain_url: null,
    volume_mounts: [],
    credentials,
  }
}
