import type { ConnectivityError } from '@sallyport/core'
import { createSharedReading } from '@sallyport/tunnel'
import { connectBackend } from '../backend/backend-connection.ts'
import type { LinkContext } from '../link-context.ts'
import { BackendSession, type SessionHandlers } from './backend-session.ts'
import type { Exchange } from './exchange.ts'

/** Opens the backend connection for an admitted request. What it returns gives the attempt up. */
export function openSession(
  { clock, monitor, traces }: LinkContext,
  current: Exchange,
  handlers: SessionHandlers,
  outcome: { onOpen(session: BackendSession): void; onFailed(error: ConnectivityError): void },
): () => void {
  const { mapping, target } = current.route as NonNullable<Exchange['route']>
  const reading = createSharedReading()
  const fromMs = clock.now()
  const noteTime = (): void => void (current.timing.openMs += clock.now() - fromMs)
  return connectBackend(target, {
    clock,
    reading,
    traceTls: traces().tls,
    timeoutMs: current.state.connectTimeoutMs,
    onConnected(socket) {
      noteTime()
      outcome.onOpen(new BackendSession({ socket, reading, target, clock, monitor: monitor.of(mapping), handlers }))
    },
    onFailed(error) {
      noteTime()
      outcome.onFailed(error)
    },
  })
}
