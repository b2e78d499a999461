import type { Socket } from 'node:net'
import type { Clock } from '@sallyport/core'
import { isTlsMapping, type SystemMapping } from '../access-control/system-mapping.ts'
import type { ConnectorState } from '../connector-state.ts'
import { reachabilityAnswerMs } from '../limits.ts'
import { connectBackend } from './backend-connection.ts'

/** Whether a backend could be reached, when somebody looked. */
export interface Reachability {
  readonly reachable: boolean
  readonly checkedAtMs: number
  /** Why not, or what was seen. */
  readonly detail: string
  /** Where no connection came about: the code of what was met, such as `BACKEND_UNTRUSTED`. */
  readonly code?: string
}

/**
 * Looks whether the backend of a mapping can be reached as requests would reach it: name, TCP, and TLS where the mapping has it, with the trust and the system
 * certificate of the connector. HTTP backends are asked `HEAD /` (cloud-connector.md §2.9); whatever they answer, they are there.
 *
 * @throws the reason of the signal, which ends the wait for a KDC, and nothing else.
 */
export function checkReachability(mapping: SystemMapping, state: ConnectorState, clock: Clock, signal: AbortSignal): Promise<Reachability> {
  const asksHead = mapping.protocol === 'HTTP' || mapping.protocol === 'HTTPS'
  return new Promise((resolve, reject) => {
    const conclude = (reachable: boolean, detail: string, code?: string): void =>
      void withTickets(
        mapping,
        state,
        { reachable, checkedAtMs: clock.now(), detail, ...(code === undefined ? {} : { code }) },
        signal,
      ).then(resolve, reject)
    connectBackend(
      {
        host: mapping.internalHost,
        port: mapping.internalPortLow,
        tls: isTlsMapping(mapping) ? state.tls : undefined,
        protocol: asksHead ? 'http/1.1' : undefined,
        system: mapping.virtualText,
      },
      {
        clock,
        timeoutMs: state.connectTimeoutMs,
        onFailed: (error) => conclude(false, error.message, error.code),
        onConnected(socket) {
          if (asksHead) return askHead(socket, mapping, clock, conclude)
          socket.on('error', () => {}).destroy()
          conclude(true, `connected to ${mapping.internalText}`)
        },
      },
    )
  })
}

/** A backend that nobody can be logged on to is of no use to a mapping that logs users on. */
async function withTickets(
  mapping: SystemMapping,
  { kerberos }: ConnectorState,
  seen: Reachability,
  signal: AbortSignal,
): Promise<Reachability> {
  if (mapping.principalType !== 'KERBEROS' || !seen.reachable) return seen
  const problem = kerberos === undefined ? 'there are no Kerberos settings' : await kerberos.check(signal)
  return problem === undefined ? seen : { ...seen, reachable: false, detail: `${seen.detail}, but no user gets a ticket: ${problem}` }
}

function askHead(socket: Socket, mapping: SystemMapping, clock: Clock, conclude: (reachable: boolean, detail: string) => void): void {
  const finish = (reachable: boolean, detail: string): void => {
    cancel()
    socket.destroy()
    conclude(reachable, detail)
  }
  const cancel = clock.after(reachabilityAnswerMs, () => finish(false, `${mapping.internalText} does not answer HEAD /`))
  socket.on('error', (error: NodeJS.ErrnoException) =>
    finish(false, `${mapping.internalText} broke the connection (${error.code ?? 'unknown'})`),
  )
  socket.once('end', () => finish(false, `${mapping.internalText} closed the connection without an answer to HEAD /`))
  socket.once('data', (chunk: Buffer) => {
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(chunk.subarray(0, 32).toString('latin1'))?.[1]
    if (status === undefined) finish(false, `${mapping.internalText} does not answer as an HTTP server`)
    else finish(true, `${mapping.internalText} answers HEAD / with ${status}`)
  })
  socket.write(`HEAD / HTTP/1.1\r\nHost: ${mapping.internalText}\r\nConnection: close\r\n\r\n`)
}
