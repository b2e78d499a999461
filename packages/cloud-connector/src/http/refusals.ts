import { formatResponseHead } from '@sallyport/http-head'
import { formatIssueFailure, formatNotMutuallyAuthenticated } from '@sallyport/principal-propagation'
import { functionDenialText } from '@sallyport/rfc-wire'
import type { VirtualAddress } from '../access-control/access-decision.ts'
import { maxShownTextLength } from '../limits.ts'

/** An answer that the connector gives itself. `code` is for events; the text is what the caller reads. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly text: string
}

const reasonPhrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

/** What stands behind the status of an answer of the connector's own. */
export function reasonPhrase(status: number): string {
  return reasonPhrases[status] ?? 'Error'
}

/** Renders a refusal as HTTP. `withBody` is false for answers to `HEAD`, `close` says that the connection ends behind it. */
export function renderRefusal(
  refusal: Refusal,
  options: { readonly correlationId: string; readonly withBody: boolean; readonly close: boolean },
): Buffer {
  const body = Buffer.from(`${refusal.text}\n`, 'utf8')
  const head = formatResponseHead(1, refusal.status, reasonPhrase(refusal.status), [
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'x-connectivity-error-origin: connector',
    ...(/^[\w.:-]{1,128}$/.test(options.correlationId) ? [`x-request-id: ${options.correlationId}`] : []),
    ...(options.close ? ['Connection: close'] : []),
  ])
  return options.withBody ? Buffer.concat([head, body]) : head
}

/** Nothing is exposed under this virtual host and port. */
export function systemRefusal(address: VirtualAddress): Refusal {
  const text = `Access denied to system ${systemText(address)}. In case this was a valid request, ensure to expose the system correctly in your cloud connector.`
  return { status: 403, code: 'ACCESS_DENIED', text }
}

/** The system is exposed, the path is not. */
export function resourceRefusal(path: string, address: VirtualAddress): Refusal {
  const text = `Access denied to resource ${shownText(path)} on system ${systemText(address)}. In case this was a valid request, ensure to expose the resource correctly in your cloud connector.`
  return { status: 403, code: 'ACCESS_DENIED', text }
}

/** A SOAP request calls a function that the mapping does not admit, or one that cannot be told. */
export function functionRefusal(functionName: string | undefined, reason: string, address: VirtualAddress): Refusal {
  const text =
    functionName === undefined
      ? `Access denied on system ${systemText(address)}: which function the request calls cannot be read, because ${reason}`
      : functionDenialText(functionName, address.host, String(address.port))
  return { status: 403, code: 'ACCESS_DENIED', text }
}

/** The token does not pass the connector's trust; `message` is the documented sentence. */
export function tokenRefusal(message: string): Refusal {
  return { status: 403, code: 'PRINCIPAL_NOT_TRUSTED', text: message }
}

/** The principal is trusted, but there is no certificate for it. */
export function certificateRefusal(user: string, problem: string, address: VirtualAddress): Refusal {
  return { status: 500, code: 'PRINCIPAL_NOT_ISSUED', text: formatIssueFailure({ user, system: systemText(address), problem }) }
}

/** A user certificate would go over a connection on which not both sides have proved who they are. */
export function mutualRefusal(user: string, address: VirtualAddress): Refusal {
  return { status: 502, code: 'BACKEND_UNTRUSTED', text: formatNotMutuallyAuthenticated({ user, system: systemText(address) }) }
}

/** The request is not HTTP as we accept it. */
export function messageRefusal({ reason, status }: { readonly status: number; readonly reason: string }): Refusal {
  return { status, code: 'MESSAGE_INVALID', text: `The request is not accepted: ${reason}` }
}

/** The backend gave no answer that can be passed on; `begun`: it did send something. */
export function brokenRefusal(reason: string, begun: boolean, address: VirtualAddress): Refusal {
  const text = `The answer of backend system ${systemText(address)} is not usable: ${reason}`
  return { status: 502, code: begun ? 'PROTOCOL_VIOLATION' : 'BACKEND_UNREACHABLE', text }
}

/** The backend said nothing for longer than is waited for. */
export function timeoutRefusal(address: VirtualAddress): Refusal {
  return { status: 504, code: 'BACKEND_TIMEOUT', text: `Backend system ${systemText(address)} did not answer in time` }
}

/** Our own fault; the log has more. */
export const internalRefusal: Refusal = {
  status: 500,
  code: 'SERVICE_UNAVAILABLE',
  text: 'The cloud connector could not handle the request; its log says why.',
}

/** Decisions cannot be recorded, so none is made in the caller's favour. */
export const auditRefusal: Refusal = {
  status: 503,
  code: 'STORE_FAILED',
  text: 'The audit log of the cloud connector cannot be written; access is denied until it can.',
}

/** `host:port` of the virtual side. */
export function systemText(address: VirtualAddress): string {
  return `${address.host}:${address.port}`
}

/** Text of somebody else, fit for one line. */
export function shownText(text: string): string {
  if (text === '') return text
  const line = text.replace(/\p{Cc}/gu, '?')
  return line.length > maxShownTextLength ? `${line.slice(0, maxShownTextLength)}…` : line
}
