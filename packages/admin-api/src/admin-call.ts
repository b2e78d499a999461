import { withDeadline } from '@sallyport/core'
import type { z } from 'zod'
import type { AdminRequest, AdminRequestInit } from './admin-request.ts'
import { isAbsent, refusedError, requireTokenText, tryParseJson, unreachableError, unreadableError } from './destination-admin-errors.ts'
import { defaultAnswerTimeoutMs } from './limits.ts'

/** Where the destination service is and how to get there. */
export interface DestinationAdminClientOptions {
  /** Address of the destination service as a binding has it, without `/destination-configuration`. */
  readonly url: string
  /** Called for every request; the caller caches. */
  readonly token: (signal: AbortSignal) => Promise<string>
  readonly request: AdminRequest
  /** Covers token, request and answer of one call; 30 seconds unless told. */
  readonly timeoutMs?: number
}

/** One request of a client. `attempt` says in messages what it was for. */
export interface AdminCall<T> {
  readonly method: AdminRequestInit['method']
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly schema?: z.ZodType<T>
}

/** What came of it, when it is neither a good answer nor an error. */
export interface AdminOutcome<T> {
  /** There is no such entity. */
  readonly absent: boolean
  /** There is one of that name already. */
  readonly taken: boolean
  readonly body: T | undefined
}

/** Makes the function with which clients call below one path of the service. It throws `ConnectivityError` only. */
export function createAdminCall(
  options: DestinationAdminClientOptions,
  root: string,
): <T>(attempt: string, call: AdminCall<T>) => Promise<AdminOutcome<T>> {
  const base = `${options.url.replace(/\/+$/, '')}${root}`
  return async (attempt, call) => {
    const signal = withDeadline(options.timeoutMs ?? defaultAnswerTimeoutMs)
    let status: number
    let text: string
    try {
      const token = await options.token(signal)
      for (const sentToken of [token, call.headers?.['x-user-token']]) requireTokenText(attempt, sentToken)
      const headers = { accept: 'application/json', ...call.headers, authorization: `Bearer ${token}` }
      const sent: AdminRequestInit =
        call.body === undefined
          ? { method: call.method, headers, redirect: 'manual', signal }
          : {
              method: call.method,
              headers: { ...headers, 'content-type': 'application/json' },
              body: JSON.stringify(call.body),
              redirect: 'manual',
              signal,
            }
      const answer = await options.request(base + call.path, sent)
      status = answer.status
      text = await answer.text()
    } catch (error) {
      throw unreachableError(attempt, signal, error)
    }
    if (isAbsent(status, text)) return { absent: true, taken: false, body: undefined }
    if (status === 409 && call.method === 'POST') return { absent: false, taken: true, body: undefined }
    if (status < 200 || status > 299) throw refusedError(attempt, status, text)
    if (call.schema === undefined) return { absent: false, taken: false, body: undefined }
    const body = call.schema.safeParse(tryParseJson(text))
    if (!body.success) throw unreadableError(attempt)
    return { absent: false, taken: false, body: body.data }
  }
}
