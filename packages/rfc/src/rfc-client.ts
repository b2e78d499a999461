import { abortedError, ConnectivityError, type ProtocolClient } from '@sallyport/core'
import type { FunctionDescription } from './function-description.ts'
import type { RfcBinding, RfcConnections } from './rfc-binding.ts'
import { keepsConnection } from './rfc-errors.ts'
import type { RfcLease, RfcPool } from './rfc-pool.ts'
import { type CallContext, createRfcSession, prepareCall, type RfcCallOptions, type RfcSession } from './rfc-session.ts'
import type { RfcStructure } from './rfc-value.ts'
import type { RfcChoice } from './select-binding.ts'

/**
 * Calls function modules of one system. Names of functions and parameters may be written in any case; answers have them in upper case. Connections
 * are opened when they are needed and reused; what has been sent is never sent again. Errors are made by `rfcError`: `details` has group and key.
 */
export interface RfcClient extends ProtocolClient {
  /** Which binding executes the calls, and why others do not. */
  readonly info: RfcClientInfo
  /** One call that counts on nothing in the memory of an ABAP session. */
  call(functionName: string, parameters?: RfcStructure, options?: RfcCallOptions): Promise<RfcStructure>
  /** Several calls in one ABAP session, as `BAPI_TRANSACTION_COMMIT` needs it. The connection is cleared afterwards. */
  withSession<T>(work: (session: RfcSession) => Promise<T>, options?: { readonly signal?: AbortSignal }): Promise<T>
  /** The interface of a function module. */
  describe(functionName: string, options?: { readonly signal?: AbortSignal }): Promise<FunctionDescription>
}

/** What is known about a client without any call. */
export interface RfcClientInfo {
  readonly binding: RfcBinding['name']
  /** Bindings that were not taken, each with the reason. */
  readonly skipped: RfcChoice['skipped']
}

/** What the adapter has decided before there is a client. */
export interface RfcClientDeps {
  readonly choice: RfcChoice
  readonly connections: RfcConnections
  readonly pool: RfcPool
  readonly calls: Omit<CallContext, 'closed'>
  /** Ends every call and every wait when it fires. */
  readonly closed: AbortController
}

/** Makes the client of one destination. */
export function createRfcClient({ choice, connections, pool, calls, closed }: RfcClientDeps): RfcClient {
  const { binding, skipped } = choice
  const { name } = calls
  const context: CallContext = { ...calls, closed: closed.signal }
  const isStateful = binding.capabilities.stateful

  const within = (signal: AbortSignal | undefined, attempt: string): AbortSignal => {
    const either = signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal])
    if (either.aborted) throw abortedError(either, attempt)
    return either
  }
  /** Does something with a connection, and gives it back in the state that it is in. */
  const use = async <T>(signal: AbortSignal, attempt: string, work: (lease: RfcLease) => Promise<T>, clear: boolean): Promise<T> => {
    const lease = await pool.lease(signal, attempt)
    try {
      return await work(lease)
    } finally {
      await lease.giveBack(clear)
    }
  }
  const ask = <T>(
    attempt: string,
    signal: AbortSignal | undefined,
    question: (lease: RfcLease, signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const guard = within(signal, attempt)
    return use(
      guard,
      attempt,
      async (lease) => {
        try {
          return await question(lease, guard)
        } catch (error) {
          if (!keepsConnection(error)) lease.discard()
          throw guard.aborted ? abortedError(guard, attempt) : error
        }
      },
      false,
    )
  }

  return {
    info: { binding: binding.name, skipped },
    async call(functionName, parameters = {}, options = {}) {
      const prepared = prepareCall(context, functionName, parameters, options)
      if (prepared.signal.aborted) throw abortedError(prepared.signal, prepared.attempt)
      return use(prepared.signal, prepared.attempt, (lease) => prepared.run(lease), false)
    },
    async withSession(work, { signal } = {}) {
      const attempt = `session at ${name}`
      if (!isStateful) {
        throw new ConnectivityError(
          'DESTINATION_INVALID',
          `${attempt}: with the binding ${binding.name} every call is a session of its own; choose another with jco.destination.x.binding`,
        )
      }
      return use(
        within(signal, attempt),
        attempt,
        async (lease) => {
          const session = createRfcSession(context, lease)
          try {
            return await work(session)
          } finally {
            session.end()
          }
        },
        true,
      )
    },
    describe: async (functionName, { signal } = {}) =>
      ask(`describe ${functionName.toUpperCase().slice(0, 30)} at ${name}`, signal, (lease, guard) =>
        lease.connection.describe(functionName.toUpperCase(), guard),
      ),
    ping: async (signal) => ask(`ping of ${name}`, signal, (lease, guard) => lease.connection.ping(guard)),
    async [Symbol.asyncDispose]() {
      closed.abort(new ConnectivityError('ABORTED', `the client of ${name} is closed`))
      await pool[Symbol.asyncDispose]()
      await connections[Symbol.asyncDispose]()
    },
  }
}
