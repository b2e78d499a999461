import type { ConnectivityError, ErrorCode } from '@sallyport/core'
import { rfcError } from '../rfc-errors.ts'
import type { SoapAnswer } from './soap-exchange.ts'

/** Statuses by which somebody on the way says what failed. */
const onTheWay: Readonly<Record<number, ErrorCode>> = {
  403: 'ACCESS_DENIED',
  407: 'PROXY_AUTHORIZATION_REQUIRED',
  502: 'BACKEND_UNREACHABLE',
  503: 'CONNECTOR_NOT_CONNECTED',
  504: 'BACKEND_TIMEOUT',
}

/** The error of an answer that is no SOAP (protocols.md 13.4). `node` is the path in the system, for the hint. */
export function statusError(attempt: string, answer: SoapAnswer, node: string): ConnectivityError {
  const { status, text, isOfTheWay } = answer
  if (isOfTheWay) {
    const code = onTheWay[status] ?? 'SERVICE_UNAVAILABLE'
    return rfcError('COMMUNICATION', attempt, {
      text: `HTTP status ${status} on the way: ${plain(text)}`,
      code,
      requestSent: status >= 500,
    })
  }
  const isLogOnPage = status === 403 && /type\s*=\s*["']?password/i.test(text)
  if (status === 401 || isLogOnPage) {
    return rfcError('LOGON', attempt, { text: `HTTP status ${status}; check user, password and client`, requestSent: true })
  }
  return rfcError('COMMUNICATION', attempt, { text: `HTTP status ${status}; ${hintOf(status, node)}: ${plain(text)}`, requestSent: true })
}

function hintOf(status: number, node: string): string {
  if (status === 403) return `is the service ${node} active (SICF)?`
  if (status === 404) return `is the path ${node} right?`
  return status >= 500 ? 'the system failed before the call' : 'this is no answer of SOAP'
}

/** What a person may read of a page: its words, without styles and marks. */
function plain(html: string): string {
  return html
    .replaceAll(/<(style|script)\b[^]{0,20000}?<\/\1>/gi, ' ')
    .replaceAll(/<[^>]{0,1000}>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 200)
}
