import { ConnectivityError, type ErrorCode } from '@sallyport/core'

/** Statuses by which somebody on the way says that the backend did not answer. */
const failures: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  407: ['PROXY_AUTHORIZATION_REQUIRED', 'the connectivity proxy does not accept the token'],
  502: ['BACKEND_UNREACHABLE', 'the backend cannot be reached'],
  503: ['SERVICE_UNAVAILABLE', 'the service is not available'],
  504: ['BACKEND_TIMEOUT', 'the backend did not answer in time'],
}

/** The same and more, where an answer says that it comes from proxy or connector and not from the backend. */
const ownFailures: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  ...failures,
  400: ['MESSAGE_INVALID', 'the request was refused on the way'],
  401: ['PRINCIPAL_NOT_TRUSTED', 'the token of the user is not accepted'],
  403: ['ACCESS_DENIED', 'not exposed by the cloud connector'],
  405: ['MESSAGE_INVALID', 'the request was refused on the way'],
  503: ['CONNECTOR_NOT_CONNECTED', 'no cloud connector is connected for this subaccount and location ID'],
}

/**
 * Tells why an answer does not prove that the backend answers; `undefined` when it does. Any other status does, 401 and 404
 * included. Proxies and connectors mark their own answers with `x-connectivity-error-origin`; where nobody does, 503 may be the backend's.
 */
export function pingFailure(response: Response, attempt: string): ConnectivityError | undefined {
  const origin = response.headers.get('x-connectivity-error-origin')
  const failure = (origin === null ? failures : ownFailures)[response.status]
  if (failure === undefined && (origin === null || response.status < 400)) return undefined
  const [code, meaning] = failure ?? ['SERVICE_UNAVAILABLE', 'proxy or connector failed']
  return new ConnectivityError(code, `${attempt}: ${meaning} (HTTP status ${response.status})`, { details: { status: response.status } })
}
