/** Protocols between connector and backend that a system mapping may have. */
export const backendProtocols = ['HTTP', 'HTTPS', 'RFC', 'RFCS', 'RFCWS', 'TCP', 'TCPS', 'LDAP', 'LDAPS'] as const
/** One of {@link backendProtocols}. */
export type BackendProtocol = (typeof backendProtocols)[number]

/** Kinds of backend, in the spelling of the original's REST API. */
export const backendTypes = [
  'abapSys',
  'hana',
  'applServerJava',
  'netweaverCE',
  'BC',
  'PI',
  'netweaverGW',
  'otherSAPsys',
  'nonSAPsys',
] as const
/** One of {@link backendTypes}. */
export type BackendType = (typeof backendTypes)[number]

/** Whether principals are propagated, and whether the system certificate may log on when there is none. */
export const principalTypes = ['NONE', 'NONE_RESTRICTED', 'X509_GENERAL', 'X509_RESTRICTED', 'KERBEROS'] as const
/** One of {@link principalTypes}. */
export type PrincipalType = (typeof principalTypes)[number]

/** Which host the backend reads in the `Host` header. */
export const hostsInHeader = ['VIRTUAL', 'INTERNAL'] as const
/** One of {@link hostsInHeader}. */
export type HostInHeader = (typeof hostsInHeader)[number]

const http: readonly BackendProtocol[] = ['HTTP', 'HTTPS']
const httpAndTcp: readonly BackendProtocol[] = ['HTTP', 'HTTPS', 'TCP', 'TCPS']
const allOfAbap: readonly BackendProtocol[] = ['HTTP', 'HTTPS', 'RFC', 'RFCS', 'RFCWS', 'TCP', 'TCPS']

const protocolsByBackendType: Readonly<Record<BackendType, readonly BackendProtocol[]>> = {
  abapSys: allOfAbap,
  hana: httpAndTcp,
  applServerJava: http,
  netweaverCE: http,
  BC: http,
  PI: http,
  netweaverGW: allOfAbap,
  otherSAPsys: httpAndTcp,
  nonSAPsys: ['HTTP', 'HTTPS', 'TCP', 'TCPS', 'LDAP', 'LDAPS'],
}

const principalTypesByProtocol: Readonly<Record<BackendProtocol, readonly PrincipalType[]>> = {
  HTTP: ['NONE', 'KERBEROS'],
  HTTPS: principalTypes,
  RFC: ['NONE'],
  RFCS: ['NONE', 'X509_GENERAL', 'X509_RESTRICTED'],
  RFCWS: ['NONE', 'X509_GENERAL'],
  TCP: ['NONE'],
  TCPS: ['NONE'],
  LDAP: ['NONE'],
  LDAPS: ['NONE'],
}

/** The protocols that a kind of backend may be mapped with. */
export function protocolsOf(backendType: BackendType): readonly BackendProtocol[] {
  return protocolsByBackendType[backendType]
}

/** The principal types that a protocol can carry: certificates in a header need TLS, those of SNC need SNC. */
export function principalTypesOf(protocol: BackendProtocol): readonly PrincipalType[] {
  return principalTypesByProtocol[protocol]
}

/**
 * What a mapping without `principalType` has. For HTTPS that is `NONE_RESTRICTED`: nobody is logged on by the connector's own certificate
 * unless the configuration says so.
 */
export function defaultPrincipalType(protocol: BackendProtocol): PrincipalType {
  return protocol === 'HTTPS' ? 'NONE_RESTRICTED' : 'NONE'
}
