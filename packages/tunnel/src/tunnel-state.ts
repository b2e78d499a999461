import { abortedError, ConnectivityError } from '@sallyport/core'
import type { ControlRefusalCode } from './messages.ts'

/** Where a client stands. Times are milliseconds since 1970. */
export type TunnelClientState =
  /** An attempt is under way, or waits until `retryAtMs`. `lastError` says why there is no connection. */
  | { readonly kind: 'connecting'; readonly attempt: number; readonly retryAtMs: number | undefined; readonly lastError: Error | undefined }
  | { readonly kind: 'ready'; readonly subaccount: string; readonly tunnelId: string; readonly sinceMs: number }
  /** The client is being closed, streams are finishing. */
  | { readonly kind: 'draining' }
  /** The server said no, another connection took our place, or the attempts are used up. Without `retryAtMs` a person has to act. */
  | {
      readonly kind: 'failed'
      readonly reason: 'refused' | 'replaced' | 'attempts-exhausted'
      readonly code: ControlRefusalCode | 'REPLACED' | ConnectivityError['code']
      readonly message: string
      readonly retryAtMs: number | undefined
    }
  | { readonly kind: 'closed' }

/** The state of a client, and those who wait for it. */
export interface TunnelState {
  readonly current: TunnelClientState
  become(next: TunnelClientState): void
  /** Settles when the state is `ready`. @throws ConnectivityError when the signal fires, the client is closed or has given up. */
  whenReady(signal: AbortSignal): Promise<void>
}

/** The state of a client that is about to dial; `onState` hears of every change. */
export function createTunnelState(onState: (state: TunnelClientState) => void): TunnelState {
  const listeners = new Set<() => void>()
  let current: TunnelClientState = { kind: 'connecting', attempt: 1, retryAtMs: undefined, lastError: undefined }
  return {
    get current() {
      return current
    },
    become(next) {
      current = next
      onState(next)
      for (const listener of listeners) listener()
    },
    whenReady: (signal) =>
      new Promise((resolve, reject) => {
        const finish = (act: () => void): void => {
          listeners.delete(check)
          signal.removeEventListener('abort', check)
          act()
        }
        const check = (): void => {
          if (current.kind === 'ready') finish(resolve)
          else if (signal.aborted) finish(() => reject(abortedError(signal, 'waiting for the tunnel')))
          else if (current.kind === 'closed') finish(() => reject(new ConnectivityError('ABORTED', 'the tunnel client is closed')))
          else if (current.kind === 'failed' && current.retryAtMs === undefined) {
            const { message } = current
            finish(() => reject(new ConnectivityError('TUNNEL_NOT_OPENED', message)))
          }
        }
        listeners.add(check)
        signal.addEventListener('abort', check)
        check()
      }),
  }
}
