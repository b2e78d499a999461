import { ConnectivityError } from '@sallyport/core'

/** What an attempt to reach a target failed with, for people: the situation and what to look at. */
export function explainFailure(error: unknown, { target, deadline }: { readonly target: string; readonly deadline: AbortSignal }): string {
  if (ConnectivityError.is(error, 'ACCESS_DENIED'))
    return `${target} leads to a private or reserved address, which must not be called from here`
  if (ConnectivityError.is(error, 'DESTINATION_INVALID') || ConnectivityError.is(error, 'MESSAGE_INVALID')) return error.message
  if (ConnectivityError.is(error, 'PROTOCOL_VIOLATION')) return `${target} does not answer with HTTP`
  const code = codeOf(error)
  if (deadline.aborted || code === 'ETIMEDOUT') return `${target} did not answer in time`
  const known = explanations[code]
  if (known !== undefined) return `${target} ${known}`
  if (isCertificateProblem(code)) return `the certificate of ${target} is not trusted (${code}); name its authority with TrustStoreLocation`
  if (/^ERR_(?:SSL|TLS)_|^EPROTO$/.test(code)) return `${target} and this service find no common form of TLS (${code})`
  if (code.startsWith('HPE_')) return `${target} does not answer with HTTP (${code})`
  if (ConnectivityError.is(error, 'PEER_UNREACHABLE')) return `${target} has no address`
  return `${target} cannot be reached${code === '' ? '' : ` (${code})`}`
}

const explanations: Readonly<Record<string, string>> = {
  ENOTFOUND: 'has no address: DNS does not know the name',
  EAI_AGAIN: 'has no address: DNS does not answer',
  ECONNREFUSED: 'refuses connections on this port',
  ECONNRESET: 'closed the connection before it had answered',
  EPIPE: 'closed the connection before it had answered',
  EHOSTUNREACH: 'is not reachable: there is no route',
  ENETUNREACH: 'is not reachable: there is no route',
  ERR_TLS_CERT_ALTNAME_INVALID: 'shows a certificate for another host name; see HostnameVerifier',
  CERT_HAS_EXPIRED: 'shows a certificate that has expired',
}

function isCertificateProblem(code: string): boolean {
  return /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE)/.test(code)
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if (!(error instanceof Error)) return ''
  if (!ConnectivityError.is(error) && 'code' in error && typeof error.code === 'string') return error.code
  return codeOf(error.cause)
}
