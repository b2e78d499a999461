/**
 * Every reason for which the proxy does not pass a request on, with status, SOCKS5 reply and text. Import it as a namespace: `refusals.tokenMissing`.
 */
import type { TokenVerdict } from '@sallyport/token-verifier'
import type { ErrorCode } from '@sallyport/core'
import type { Refusal } from './refusal.ts'
import { socksReplies, type SocksReply } from './socks5/protocol.ts'

function refusal(code: ErrorCode, status: number, reply: SocksReply, text: string): Refusal {
  return Object.freeze({ code, status, reply, text })
}

function invalid(text: string, status = 400): Refusal {
  return refusal('MESSAGE_INVALID', status, socksReplies.failure, text)
}

function unauthorized(text: string): Refusal {
  return refusal('PROXY_AUTHORIZATION_REQUIRED', 407, socksReplies.authenticationFailed, text)
}

const tokenFaults = {
  malformed: 'the token is malformed',
  algorithm: 'the signature algorithm of the token is not accepted',
  issuer: 'the issuer of the token is not trusted',
  signature: 'the signature of the token is not valid',
  expired: 'the token has expired',
  'not-yet-valid': 'the token is not valid yet',
  unavailable: 'the keys of the issuer are not available',
} as const

export const httpsUnsupported: Refusal = refusal(
  'MESSAGE_INVALID',
  405,
  socksReplies.failure,
  'Proxying of HTTPS is not supported: send the request with an http:// URL; whether the backend is called over TLS is set in the system mapping of the cloud connector',
)

/** A head that the codec does not accept, with the status that it proposes. */
export function malformedHead(status: number, reason: string): Refusal {
  return invalid(`Malformed request: ${reason}`, status)
}

export const malformedBody: Refusal = invalid('Malformed request: the chunks of the body cannot be read')

/** A message of the handshake that does not have the form of its protocol. */
export function malformedSocks(reason: string): Refusal {
  return invalid(`Malformed SOCKS5 message: ${reason}`)
}

export const commandUnsupported: Refusal = refusal(
  'MESSAGE_INVALID',
  400,
  socksReplies.commandUnsupported,
  'Only the SOCKS5 command CONNECT is supported',
)

export const addressTypeUnsupported: Refusal = refusal(
  'MESSAGE_INVALID',
  400,
  socksReplies.addressTypeUnsupported,
  'Only domain names and IPv4 addresses can name a virtual host',
)

export const targetUnusable: Refusal = invalid('Malformed request: the request target or Host does not name a virtual host and port')

/** A control header that occurs twice could be read in two ways. */
export function repeatedHeader(name: string): Refusal {
  return invalid(`Header ${name} occurs more than once`)
}

export const locationTooLong: Refusal = invalid(
  'SAP-Connectivity-SCC-Location_ID is longer than a location ID can be, or has control characters',
)

/** A header for a principal without a token in it. */
export function notBearer(name: string): Refusal {
  return invalid(`Header ${name} is not of the form "Bearer <token>"`)
}

export const twoUsers: Refusal = invalid(
  'The request carries two users: Proxy-Authorization has the token of a user, so SAP-Connectivity-Authentication must not be sent',
)

export const businessAndTechnical: Refusal = invalid(
  'The request carries a business and a technical principal; only one of them can be propagated',
)

/** Names the header only: whose token it is, and of which tenant, is nobody's business. */
export function foreignUser(name: string): Refusal {
  return invalid(`The user token in ${name} belongs to another tenant than the proxy token`)
}

export const embeddedUnusable: Refusal = invalid(
  'The user token carries something in the place of a corporate token that is none, so that nobody can be propagated with it',
)

export const tokenTooLong: Refusal = invalid('The user token is too long to be passed through the tunnel')

export const tokenMissing: Refusal = unauthorized(
  'Proxy authorization required: send Proxy-Authorization with the token of a connectivity client',
)

export const tokenUnreadable: Refusal = unauthorized(
  'Proxy authorization failed: Proxy-Authorization is neither "Bearer <token>" nor "Basic" with the token as user name',
)

export const tokenMethodMissing: Refusal = unauthorized(
  'Proxy authorization required: the client does not offer SOCKS5 method 0x80, which carries the token',
)

export const serviceTokenMissing: Refusal = unauthorized('Header SAP-CP-Connectivity-Service-Token is missing; it tells the tenant')

/** Says of which class the fault of a token is, never more. */
export function tokenInvalid(reason: Extract<TokenVerdict, { valid: false }>['reason']): Refusal {
  return unauthorized(`Proxy authorization failed: ${tokenFaults[reason]}`)
}

export const clientUnknown: Refusal = unauthorized(
  'Proxy authorization failed: the token was not issued for an allowed connectivity client',
)

export const tenantMissing: Refusal = unauthorized('Proxy authorization failed: the token names no tenant (claim zid)')

export const tenantForeign: Refusal = unauthorized('Proxy authorization failed: the token belongs to another tenant than this proxy serves')

export const identityOfPerson: Refusal = unauthorized(
  'Proxy authorization failed: of an identity service only the token of an application is taken; send that of a user in SAP-Connectivity-Authentication',
)

export const identityTenantMissing: Refusal = unauthorized('Proxy authorization failed: the token names no tenant (claim app_tid)')

export const identityUnknown: Refusal = unauthorized(
  'Proxy authorization failed: the application of the token consumes no instance of the connectivity service in this tenant',
)

export const keysUnavailable: Refusal = refusal(
  'SERVICE_UNAVAILABLE',
  503,
  socksReplies.failure,
  'The token cannot be checked now: the keys of its issuer are not available',
)

/** Another tenant or location than the connection is bound to; in the original's words. */
export function reboundTunnel(tunnelId: string): Refusal {
  return refusal(
    'CONNECTION_REBOUND',
    400,
    socksReplies.failure,
    `One of the headers [SAP-Connectivity-ConsumerAccount, SAP-Connectivity-SCC-Location_ID] was set with a different value compared to the value which was already used for this connection. Original tunnel ID: ${tunnelId}`,
  )
}

/** Another virtual host or principal than the connection is bound to. The text is the original's, which reads like a decision of the connector; `reason` is not. */
export function reboundSystem(path: string, host: string, port: number, reason: string): Refusal {
  const text = `Access denied to resource ${path} on system ${host}:${port}`
  return Object.freeze({ ...refusal('CONNECTION_REBOUND', 403, socksReplies.notAllowed, text), reason })
}

/** Diagnostics of others look for the words up to "connected", and for "SCC location ID" behind them. */
export function notConnected(subaccount: string, locationId: string): Refusal {
  return refusal(
    'CONNECTOR_NOT_CONNECTED',
    503,
    socksReplies.networkUnreachable,
    `There is no SAP Cloud Connector (SCC) connected to your subaccount matching the requested tunnel for subaccount "${subaccount}" and SCC location ID "${locationId}"`,
  )
}

/** The connector was there a moment ago and has not come back. */
export function tunnelTimeout(tunnelId: string): Refusal {
  return refusal('TUNNEL_NOT_OPENED', 504, socksReplies.networkUnreachable, `Timed out waiting for tunnel to open: ${tunnelId}`)
}

export const tunnelLost: Refusal = refusal(
  'TUNNEL_LOST',
  502,
  socksReplies.failure,
  'The tunnel to the cloud connector broke before the backend had answered',
)

export const tunnelGone: Refusal = refusal(
  'TUNNEL_LOST',
  502,
  socksReplies.networkUnreachable,
  'The tunnel to the cloud connector broke before the connection was open',
)

export const streamRefused: Refusal = refusal(
  'TUNNEL_LOST',
  502,
  socksReplies.failure,
  'The cloud connector takes no more connections at the moment',
)

export const backendClosed: Refusal = refusal(
  'BACKEND_UNREACHABLE',
  502,
  socksReplies.failure,
  'The connection to the backend was closed before it had answered',
)

export const answerUnusable: Refusal = refusal(
  'PROTOCOL_VIOLATION',
  502,
  socksReplies.failure,
  'The answer that came through the tunnel is not HTTP/1.1',
)

export const backendSlow: Refusal = refusal('BACKEND_TIMEOUT', 504, socksReplies.hostUnreachable, 'The backend was not reached in time')

export const stopping: Refusal = refusal('SERVICE_UNAVAILABLE', 503, socksReplies.failure, 'The connectivity proxy is shutting down')

/** Never written: there is nobody left to read it. */
export const aborted: Refusal = refusal('ABORTED', 499, socksReplies.failure, 'The application has gone')

export const internal: Refusal = refusal(
  'SERVICE_UNAVAILABLE',
  500,
  socksReplies.failure,
  'The connectivity proxy failed to handle the request',
)
