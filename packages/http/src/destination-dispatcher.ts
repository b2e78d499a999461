import { ConnectivityError, type Secret, underSignal } from '@sallyport/core'
import type { Dispatcher } from 'undici'
import { requestError } from './http-errors.ts'
import type { PreparedRequest } from './prepare-request.ts'

/** What the dispatcher shares with the client it belongs to. */
export interface DestinationDispatcherDeps {
  readonly pool: () => Dispatcher
  readonly prepare: (path: string, own: Iterable<readonly [string, string]>) => Promise<PreparedRequest>
  /** Fires when the client is disposed. */
  readonly closed: AbortSignal
  readonly origin: string
  readonly noteStatus: (status: number, proxyToken: Secret | undefined) => void
  readonly name: string
}

/** A dispatcher for `fetch` and `request` of undici that sends to one destination and nowhere else. */
export function createDestinationDispatcher({ pool, prepare, closed, origin, noteStatus, name }: DestinationDispatcherDeps): Dispatcher {
  const attempt = `request at ${name}`
  return pool().compose(() => (options, handler) => {
    const send = async (): Promise<void> => {
      if (options.origin !== undefined && new URL(options.origin).origin !== origin) {
        throw new ConnectivityError('MESSAGE_INVALID', `${attempt}: the URL belongs to another origin`)
      }
      const prepared = await underSignal(prepare(`${origin}${options.path}`, headerEntries(options.headers)), closed, attempt)
      const watched = watchStatus(handler, (status) => noteStatus(status, prepared.proxyToken))
      prepared.pool.dispatch({ ...options, path: prepared.path, headers: prepared.headers }, watched)
    }
    send().catch((error: unknown) => {
      // The request has not begun, so there is no controller yet; undici's own interceptors do the same.
      handler.onResponseError?.(null as unknown as Dispatcher.DispatchController, requestError(attempt, error, undefined))
    })
    return true
  })
}

function watchStatus(handler: Dispatcher.DispatchHandler, note: (status: number) => void): Dispatcher.DispatchHandler {
  return new Proxy(handler, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key)
      if (typeof member !== 'function') return member
      if (key !== 'onResponseStart') return member.bind(target) as unknown
      return (...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>) => {
        note(args[1])
        return target.onResponseStart?.(...args)
      }
    },
  })
}

/** The forms that undici takes headers in. */
function headerEntries(headers: Dispatcher.DispatchOptions['headers']): readonly (readonly [string, string])[] {
  if (headers === undefined || headers === null) return []
  if (Array.isArray(headers) && typeof headers[0] === 'string') {
    const flat: readonly string[] = headers
    return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : []))
  }
  const pairs = Symbol.iterator in headers ? [...(headers as Iterable<[string, string | string[] | undefined]>)] : Object.entries(headers)
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [value].flat().map((single) => [name, String(single)] as const)))
}
