import { ConnectivityError } from '@sallyport/core'

/** What a refused request is answered with: a status and the two members that RFC 6749 §5.2 defines. */
export interface ErrorAnswer {
  readonly status: number
  readonly error: string
  readonly description: string
  readonly retryAfterSeconds?: number
}

/**
 * The refusal of a request: an ordinary answer that travels as an error, because it may be found anywhere below the endpoint.
 * `description` is shown to people; it never repeats what the request brought.
 */
export function refusal(status: number, error: string, description: string, retryAfterSeconds?: number): ConnectivityError {
  return new ConnectivityError('TOKEN_NOT_ISSUED', description, { details: { status, error, retryAfterSeconds } })
}

/** A refused client: one text for every reason, so that the answer does not tell which clients exist. */
export function invalidClient(): ConnectivityError {
  return refusal(401, 'invalid_client', 'Bad client credentials')
}

/** Translates whatever was thrown. What is not ours and not Fastify's becomes a 500 that says nothing but where to look. */
export function toErrorAnswer(error: unknown): ErrorAnswer {
  if (ConnectivityError.is(error)) {
    const { status, error: name, retryAfterSeconds } = error.details
    if (typeof status === 'number' && typeof name === 'string') {
      return { status, error: name, description: error.message, ...(typeof retryAfterSeconds === 'number' ? { retryAfterSeconds } : {}) }
    }
    if (error.code === 'SERVICE_UNAVAILABLE') {
      // What the database says names its host, which is for those who run it.
      const description = error.details['store'] === true ? 'The token service cannot reach its database' : error.message
      return { status: 503, error: 'temporarily_unavailable', description, retryAfterSeconds: 1 }
    }
  }
  return (
    fromFastify(error) ?? {
      status: 500,
      error: 'server_error',
      description: 'The request failed inside the token service; its log has the details',
    }
  )
}

function fromFastify(error: unknown): ErrorAnswer | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { status: 413, error: 'invalid_request', description: 'The request body is too large' }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { status: 415, error: 'invalid_request', description: 'The request body is not application/x-www-form-urlencoded' }
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return { status: 400, error: 'invalid_request', description: 'The request body does not have the announced length' }
    case 'FST_ERR_BAD_URL':
      return { status: 400, error: 'invalid_request', description: 'The request path cannot be read' }
    default:
      return undefined
  }
}

/** Status and text for requests that the HTTP parser gave up on, before there was a request to answer. */
export function brokenRequestAnswer(code: string | undefined): ErrorAnswer & { readonly reason: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        reason: 'Request Header Fields Too Large',
        error: 'invalid_request',
        description: 'The request head is too large',
      }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, reason: 'Request Timeout', error: 'invalid_request', description: 'The request did not arrive in time' }
    default:
      return { status: 400, reason: 'Bad Request', error: 'invalid_request', description: 'The request is not valid HTTP' }
  }
}
