import { maxStreamMessageBytes } from '@sallyport/core'
import { maxDescriptionCharacters, maxNameCharacters } from './limits.ts'
import type {
  ChannelOpening,
  ControlFromConnector,
  ControlFromServer,
  ControlOpening,
  ControlRefusalCode,
  ExposedSystem,
  PrincipalMessage,
  StreamOpening,
  TcpAnswer,
  TrustedIssuer,
  WirePrincipal,
} from './messages.ts'

// Everything here comes from the other side of a tunnel: each member is checked and copied, what is unknown is left behind.

type Members = Readonly<Record<string, unknown>>

const refusalCodes: readonly ControlRefusalCode[] = ['VERSION_UNSUPPORTED', 'PEER_UNTRUSTED', 'LOCATION_TAKEN', 'SERVICE_UNAVAILABLE']
const answerCodes = ['ACCESS_DENIED', 'BACKEND_UNREACHABLE', 'BACKEND_UNTRUSTED', 'BACKEND_TIMEOUT', 'PROTOCOL_VIOLATION'] as const
const issuerTypes = ['OAUTH2', 'OIDC'] as const
const serviceTypes = ['RFC', 'TCP'] as const
const maxTimeoutMs = 3_600_000
const maxVersions = 16

/** The opening of a stream for an application's connection, or `undefined` for anything else. */
export function tryParseStreamOpening(message: Buffer): StreamOpening | undefined {
  const members = tryParseMembers(message)
  if (members === undefined) return undefined
  const subaccount = text(members['subaccount'])
  const locationId = text(members['locationId'])
  const virtualHost = text(members['virtualHost'])
  const virtualPort = integer(members['virtualPort'], 1, 65_535)
  const correlationId = text(members['correlationId'])
  if (subaccount === undefined || locationId === undefined || virtualHost === undefined) return undefined
  if (virtualPort === undefined || correlationId === undefined) return undefined
  const application = text(members['application'])
  if (application === undefined && members['application'] !== undefined) return undefined
  const base = {
    subaccount,
    locationId,
    virtualHost,
    virtualPort,
    correlationId,
    ...(application === undefined ? {} : { application }),
  }
  if (members['kind'] === 'tcp') {
    const timeoutMs = integer(members['timeoutMs'], 0, maxTimeoutMs)
    return timeoutMs === undefined ? undefined : { kind: 'tcp', ...base, timeoutMs }
  }
  if (members['kind'] !== 'http') return undefined
  if (members['principal'] === undefined) return { kind: 'http', ...base }
  const principal = wirePrincipal(members['principal'])
  return principal === undefined ? undefined : { kind: 'http', ...base, principal }
}

/** The opening of a stream for an on-premise client, or `undefined` for anything else. */
export function tryParseChannelOpening(message: Buffer): ChannelOpening | undefined {
  const members = tryParseMembers(message)
  if (members?.['kind'] !== 'channel') return undefined
  const serviceType = oneOf(members['serviceType'], serviceTypes)
  const serviceId = text(members['serviceId'])
  const correlationId = text(members['correlationId'])
  const timeoutMs = integer(members['timeoutMs'], 0, maxTimeoutMs)
  if (serviceType === undefined || serviceId === undefined || serviceId === '') return undefined
  if (correlationId === undefined || timeoutMs === undefined) return undefined
  const opening = { kind: 'channel', serviceType, serviceId, correlationId, timeoutMs } as const
  if (members['cluster'] === undefined) return opening
  const cluster = text(members['cluster'])
  return cluster === undefined ? undefined : { ...opening, cluster }
}

/** The message that precedes a request with another principal. */
export function tryParsePrincipalMessage(message: Buffer): PrincipalMessage | undefined {
  const members = tryParseMembers(message)
  const correlationId = text(members?.['correlationId'])
  if (members?.['kind'] !== 'principal' || correlationId === undefined) return undefined
  if (members['principal'] === null) return { kind: 'principal', principal: null, correlationId }
  const principal = wirePrincipal(members['principal'])
  return principal === undefined ? undefined : { kind: 'principal', principal, correlationId }
}

/** What whoever dials says about a TCP connection. */
export function tryParseTcpAnswer(message: Buffer): TcpAnswer | undefined {
  const members = tryParseMembers(message)
  if (members?.['kind'] === 'connected') return { kind: 'connected' }
  if (members?.['kind'] !== 'refused') return undefined
  const code = oneOf(members['code'], answerCodes)
  const reason = text(members['message'], maxStreamMessageBytes)
  return code === undefined || reason === undefined ? undefined : { kind: 'refused', code, message: reason }
}

/** How a connector introduces itself. */
export function tryParseControlOpening(message: Buffer): ControlOpening | undefined {
  const members = tryParseMembers(message)
  if (members?.['kind'] !== 'control') return undefined
  const versions = list(members['versions'], maxVersions, (version) => integer(version, 0, 65_535))
  const locationId = text(members['locationId'])
  const connectorId = text(members['connectorId'])
  const agentVersion = text(members['agentVersion'])
  const description = text(members['description'], maxDescriptionCharacters)
  if (versions === undefined || locationId === undefined || connectorId === undefined || connectorId === '') return undefined
  if (agentVersion === undefined || description === undefined) return undefined
  return { kind: 'control', versions, locationId, connectorId, agentVersion, description }
}

/** A message of the server on the control stream. */
export function tryParseControlFromServer(message: Buffer): ControlFromServer | undefined {
  const members = tryParseMembers(message)
  switch (members?.['kind']) {
    case 'drain':
    case 'replaced':
    case 'trust-changed':
      return { kind: members['kind'] }
    case 'welcome': {
      const version = integer(members['version'], 0, 65_535)
      const subaccount = text(members['subaccount'])
      const tunnelId = text(members['tunnelId'], maxStreamMessageBytes)
      if (version === undefined || subaccount === undefined || tunnelId === undefined) return undefined
      return { kind: 'welcome', version, subaccount, tunnelId }
    }
    case 'refused': {
      const code = oneOf(members['code'], refusalCodes)
      const reason = text(members['message'], maxStreamMessageBytes)
      return code === undefined || reason === undefined ? undefined : { kind: 'refused', code, message: reason }
    }
    case 'trust': {
      const issuers = list(members['issuers'], maxStreamMessageBytes, trustedIssuer)
      return issuers === undefined ? undefined : { kind: 'trust', issuers, ...more(members) }
    }
    case 'certificate': {
      const certificate = text(members['certificate'], maxStreamMessageBytes)
      const authorities = text(members['authorities'], maxStreamMessageBytes)
      return certificate === undefined || authorities === undefined ? undefined : { kind: 'certificate', certificate, authorities }
    }
    case 'certificate-refused': {
      const reason = text(members['message'], maxStreamMessageBytes)
      return reason === undefined ? undefined : { kind: 'certificate-refused', message: reason }
    }
    default:
      return undefined
  }
}

/** A message of the connector on the control stream. */
export function tryParseControlFromConnector(message: Buffer): ControlFromConnector | undefined {
  const members = tryParseMembers(message)
  switch (members?.['kind']) {
    case 'get-trust':
      return { kind: 'get-trust' }
    case 'exposed': {
      const digest = text(members['digest'])
      const systems = list(members['systems'], maxStreamMessageBytes, exposedSystem)
      return digest === undefined || systems === undefined ? undefined : { kind: 'exposed', digest, systems, ...more(members) }
    }
    case 'renew-certificate': {
      const request = text(members['request'], maxStreamMessageBytes)
      return request === undefined ? undefined : { kind: 'renew-certificate', request }
    }
    default:
      return undefined
  }
}

function tryParseMembers(message: Buffer): Members | undefined {
  if (message.length > maxStreamMessageBytes) return undefined
  try {
    return membersOf(JSON.parse(message.toString('utf8')))
  } catch {
    // Not JSON: the same answer as for JSON of another shape.
    return undefined
  }
}

function membersOf(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined
}

function text(value: unknown, maxCharacters: number = maxNameCharacters): string | undefined {
  return typeof value === 'string' && value.length <= maxCharacters ? value : undefined
}

function integer(value: unknown, min: number, max: number): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value)
}

/** All or nothing: a list with one bad member is bad. */
function list<T>(value: unknown, maxMembers: number, parse: (member: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > maxMembers) return undefined
  const parsed = value.map(parse)
  return parsed.every((member) => member !== undefined) ? parsed : undefined
}

function more(members: Members): { readonly more?: true } {
  return members['more'] === true ? { more: true } : {}
}

function wirePrincipal(value: unknown): WirePrincipal | undefined {
  const members = membersOf(value)
  const kind = oneOf(members?.['kind'], ['business', 'technical'] as const)
  const token = text(members?.['token'], maxStreamMessageBytes)
  return kind === undefined || token === undefined ? undefined : { kind, token }
}

function trustedIssuer(value: unknown): TrustedIssuer | undefined {
  const members = membersOf(value)
  const issuer = text(members?.['issuer'])
  const name = text(members?.['name'])
  const type = oneOf(members?.['type'], issuerTypes)
  const keys = list(members?.['keys'], maxStreamMessageBytes, membersOf)
  return issuer === undefined || name === undefined || type === undefined || keys === undefined ? undefined : { issuer, name, type, keys }
}

function exposedSystem(value: unknown): ExposedSystem | undefined {
  const members = membersOf(value)
  const protocol = text(members?.['protocol'])
  const host = text(members?.['host'])
  const type = text(members?.['type'])
  const description = text(members?.['description'])
  if (protocol === undefined || host === undefined || type === undefined || description === undefined) return undefined
  return { protocol, host, type, description }
}
