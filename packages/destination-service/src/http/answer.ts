import { destinationNotFoundText } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'

/** What goes back to the client: `text` is JSON as it stands, `stream` the same in pieces; without any and without `body` the answer is empty. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly text?: string
  readonly stream?: AsyncIterable<string>
}

/** A refusal in the form that every client of this API understands. */
export function refuse(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: { ErrorMessage: message } }
}

/** Clients take exactly this for "there is none" and go on to look elsewhere. */
export const notFound: Answer = refuse(404, destinationNotFoundText)

/** A request that cannot be meant: thrown by whatever reads it, answered with 400 and this sentence. */
export function malformed(message: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', message)
}

/**
 * The answer to whatever a handler threw. Our own errors about the request say why; everything else is a defect or a failing store, of which the caller
 * learns no more than that.
 */
export function errorAnswer(error: unknown): Answer {
  if (ConnectivityError.is(error)) {
    const { status } = error.traits
    if (status < 500) return refuse(status, error.message)
    if (status === 503) return refuse(503, 'The service is not available at the moment')
  }
  return refuse(500, 'The request could not be completed because of an internal error')
}
