import {
  abortedError,
  type Clock,
  ConnectivityError,
  type ConnectContext,
  type ProtocolAdapter,
  type RfcDestination,
  withDeadline,
} from '@sallyport/core'
import { connectTimeoutMs } from './limits.ts'
import type { RfcBinding } from './rfc-binding.ts'
import { createRfcClient, type RfcClient } from './rfc-client.ts'
import { createRfcPool } from './rfc-pool.ts'
import { selectBinding } from './select-binding.ts'

/** What is the same for every destination of an adapter. */
export interface RfcAdapterOptions {
  readonly clock: Clock
  /** The engines to choose from; their order does not matter. */
  readonly bindings: readonly RfcBinding[]
  /** The application is going to use `withSession`: bindings without sessions are not chosen. The default is false. */
  readonly stateful?: boolean
  /** Limit for a connection, logon included; the default is 30 seconds. */
  readonly connectTimeoutMs?: number
}

/** Makes the adapter for RFC destinations. `connect` chooses the binding and opens no connection. */
export function createRfcAdapter({
  clock,
  bindings,
  stateful = false,
  connectTimeoutMs: timeoutMs = connectTimeoutMs,
}: RfcAdapterOptions): ProtocolAdapter<'RFC', RfcClient> {
  return {
    protocol: 'rfc',
    destinationType: 'RFC',
    async connect(destination, context) {
      const name = `destination "${destination.name}"`
      if (context.signal.aborted) throw abortedError(context.signal, `connect to ${name}`)
      refuseUnusable(destination, context)
      const choice = await selectBinding({ destination, credentials: context.credentials, stateful, bindings })
      context.log.info({ destination: destination.name, binding: choice.binding.name, skipped: choice.skipped }, 'RFC binding chosen')
      const closed = new AbortController()
      const connections = choice.binding.prepare({ destination, context, clock, closed: closed.signal })
      const pool = createRfcPool({
        settings: destination.pool,
        // A caller that gives up ends the attempt, and so does the client that is closed.
        open: (signal) => connections.open(withDeadline(timeoutMs, signal)),
        clock,
      })
      return createRfcClient({ choice, connections, pool, calls: { name, callTimeoutMs: destination.callTimeoutMs }, closed })
    },
  }
}

/** What no binding can log on with. */
function refuseUnusable({ name, authentication }: RfcDestination, { credentials, principal }: ConnectContext): void {
  const invalid = (what: string): ConnectivityError =>
    new ConnectivityError('DESTINATION_INVALID', `destination "${name}": ${what}`, { details: { destination: name } })
  if (credentials.kind === 'header') throw invalid('RFC has no headers; use jco.client.user and jco.client.passwd')
  // The token of a technical user is the binding's concern.
  if (credentials.kind === 'principal' && principal === undefined && authentication !== 'TechnicalUserPropagation')
    throw invalid('it acts on behalf of a principal, and none is at hand')
  if (authentication !== 'CONFIGURED_USER' && credentials.kind !== 'principal') {
    throw invalid(`jco.destination.auth_type is ${authentication}, and the credentials are those of a configured user`)
  }
}
