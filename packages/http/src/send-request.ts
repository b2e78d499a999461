import type { Readable } from 'node:stream'
import { type Clock, pause, type Principal, underSignal } from '@sallyport/core'
import type { Dispatcher } from 'undici'
import { createCsrfSessions, type CsrfSession, readCsrfSession, wantsCsrfToken } from './csrf-session.ts'
import { requestError } from './http-errors.ts'
import { maxDiscardedBytes, maxRepetitions, repetitionPauseMs } from './limits.ts'
import type { PreparedRequest, Preparer } from './prepare-request.ts'

/** One request of the caller's; on the wire it may become several. */
export interface OutgoingRequest {
  readonly method: string
  readonly path: string | URL
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string | Uint8Array | Readable | AsyncIterable<Uint8Array> | undefined
  readonly principal: Principal | undefined
  readonly csrf: boolean
  readonly signal: AbortSignal | undefined
  readonly attempt: string
}

/** What the sender shares with the client it belongs to. */
export interface SenderDeps {
  readonly prepare: Preparer
  /** Told what the target or the proxy refused. True when the request should be sent again with something better. */
  readonly renew: (prepared: PreparedRequest, status: number, signal: AbortSignal) => Promise<boolean>
  readonly clock: Clock
  /** Fires when the client is disposed. Requests without a signal of their own wait under it. */
  readonly closed: AbortSignal
}

type Answer = Dispatcher.ResponseData

/** Requests of these methods change nothing, however often they arrive (RFC 9110 §9.2.1). */
const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
/** There was no connection, or it ended before an answer. */
const broken: ReadonlySet<string> = new Set(['BACKEND_UNREACHABLE', 'PEER_UNREACHABLE', 'TUNNEL_LOST'])

/**
 * Sends a request, and again only where that is safe: what somebody on the way has refused without looking at it (401, 407, 403 for want of
 * a CSRF token) goes once more with something newer; what got lost goes once more when its method is safe. A body that is a
 * stream goes once.
 */
export function createSender({ prepare, renew, clock, closed }: SenderDeps): (request: OutgoingRequest) => Promise<Answer> {
  const sessions = createCsrfSessions()

  const guardOf = ({ signal }: OutgoingRequest): AbortSignal => signal ?? closed

  const send = async (request: OutgoingRequest, prepared: PreparedRequest, headers: Record<string, string>): Promise<Answer> => {
    const { method, body, signal, attempt } = request
    const sending = prepared.pool.request({
      path: prepared.path,
      method,
      headers,
      // undici's types leave asynchronous iterables out; its code takes them.
      body: (body ?? null) as Readable | string | Uint8Array | null,
      ...(signal === undefined ? {} : { signal }),
    })
    // undici does not look at the signal while a connection is being opened.
    return underSignal(sending, guardOf(request), attempt)
  }

  const fetchSession = async (request: OutgoingRequest, prepared: PreparedRequest): Promise<CsrfSession | undefined> => {
    const { 'content-type': _ofTheBody, ...headers } = prepared.headers
    for (const path of withAndWithoutSlash(prepared.path)) {
      const answer = await send(
        { ...request, method: 'HEAD', body: undefined, signal: undefined },
        { ...prepared, path },
        { ...headers, 'x-csrf-token': 'Fetch' },
      )
      await answer.body.dump()
      const session = readCsrfSession(answer.headers)
      if (session !== undefined) return session
    }
    return undefined
  }

  /** The headers with the token of the session, which is opened first where there is none. */
  const guarded = async (request: OutgoingRequest, prepared: PreparedRequest): Promise<Record<string, string>> => {
    if (!request.csrf || safe.has(request.method) || 'x-csrf-token' in prepared.headers) return prepared.headers
    const session = sessions.of(prepared, () => fetchSession(request, prepared))
    const found = await underSignal(session, guardOf(request), request.attempt)
    if (found === undefined) return prepared.headers
    const cookie = [prepared.headers['cookie'], found.cookie].filter(Boolean).join('; ')
    return { ...prepared.headers, 'x-csrf-token': found.token, ...(cookie === '' ? {} : { cookie }) }
  }

  return async (request) => {
    const { attempt } = request
    const guard = guardOf(request)
    const mayGoAgain = request.body === undefined || typeof request.body === 'string' || request.body instanceof Uint8Array
    const refusals = new Set<number>()
    for (let repetitions = 0; ;) {
      let prepared: PreparedRequest
      let answer: Answer
      try {
        prepared = await underSignal(prepare(request.path, request.headers, request.principal, guard), guard, attempt)
        answer = await send(request, prepared, await guarded(request, prepared))
      } catch (error) {
        const failure = requestError(attempt, error, guard)
        const again = mayGoAgain && safe.has(request.method) && broken.has(failure.code) && repetitions < maxRepetitions
        if (!again) throw failure
        repetitions += 1
        await pause(clock, repetitions * repetitionPauseMs, guard, attempt)
        continue
      }
      const { statusCode: status } = answer
      const lacksToken = request.csrf && wantsCsrfToken(status, answer.headers) && sessions.forget(prepared)
      const better = lacksToken || ((status === 401 || status === 407) && (await renew(prepared, status, guard)))
      if (!better || !mayGoAgain || refusals.has(status)) return answer
      refusals.add(status)
      await answer.body.dump({ limit: maxDiscardedBytes })
    }
  }
}

/** Services answer with a token at their root, which ends in a slash, more often than at a resource. */
function withAndWithoutSlash(path: string): readonly string[] {
  const [resource = '', query] = path.split(/(?=\?)/, 2)
  return resource.endsWith('/') ? [path] : [`${resource}/${query ?? ''}`, path]
}
