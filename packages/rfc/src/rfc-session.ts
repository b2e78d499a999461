import { abortedError, ConnectivityError, underSignal, withDeadline } from '@sallyport/core'
import { keepsConnection, rfcError } from './rfc-errors.ts'
import type { RfcLease } from './rfc-pool.ts'
import { type RfcStructure, upperCaseNames } from './rfc-value.ts'

/** How long a call may take and what it need not answer. */
export interface RfcCallOptions {
  readonly signal?: AbortSignal
  /** Longest time of this call; the default is `jco.destination.x.call_timeout`, 0 is no limit. */
  readonly timeoutMs?: number
  /** Outputs that nobody wants; large tables cost time. */
  readonly notRequested?: readonly string[]
  /** Table parameters, where the system does not describe function modules (binding `soap` without WSDL): a table that is not named is lost. */
  readonly tables?: readonly string[]
}

/** Calls in one ABAP session: what one leaves in memory the next one finds. Calls wait for each other. */
export interface RfcSession {
  call(functionName: string, parameters?: RfcStructure, options?: RfcCallOptions): Promise<RfcStructure>
}

/** What all calls of a client have in common. */
export interface CallContext {
  /** For messages: `destination "ERP"`. */
  readonly name: string
  readonly callTimeoutMs: number
  readonly closed: AbortSignal
}

/** A call that has been looked at: nothing about it depends on a connection. */
export interface PreparedCall {
  readonly functionName: string
  readonly attempt: string
  /** The caller's signal, or the end of the client. */
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** Starts the time that the call may take, for what comes before `run`. */
  startTime(): AbortSignal
  /** `limited` is what `startTime` gave; without it the time starts now. */
  run(lease: RfcLease, limited?: AbortSignal): Promise<RfcStructure>
}

/**
 * Looks at a call before anything is leased for it.
 *
 * @throws ConnectivityError of the group `CONVERSION` for a name that no function module has, or parameters that cannot be told apart.
 */
export function prepareCall(
  { name, callTimeoutMs, closed }: CallContext,
  functionName: string,
  parameters: RfcStructure,
  { signal: own, timeoutMs = callTimeoutMs, notRequested = [], tables = [] }: RfcCallOptions,
): PreparedCall {
  const upper = functionName.toUpperCase()
  if (!/^[\x21-\x7e]{1,30}$/.test(upper)) {
    throw rfcError('CONVERSION', `call at ${name}`, { text: 'this is not the name of a function module', requestSent: false })
  }
  const attempt = `call ${upper} at ${name}`
  const given = namesOf(parameters, attempt)
  const signal = own === undefined ? closed : AbortSignal.any([own, closed])
  const startTime = (): AbortSignal => (timeoutMs === 0 ? signal : withDeadline(timeoutMs, signal))
  return {
    functionName: upper,
    attempt,
    signal,
    timeoutMs,
    startTime,
    async run(lease, limited = startTime()) {
      if (limited.aborted) throw abortedError(limited, attempt)
      try {
        return await lease.connection.call(upper, given, {
          signal: limited,
          notRequested: notRequested.map((each) => each.toUpperCase()),
          tables: tables.map((each) => each.toUpperCase()),
        })
      } catch (error) {
        if (!keepsConnection(error)) lease.discard()
        throw limited.aborted ? endedError(limited, attempt, error) : error
      }
    },
  }
}

/** A call that was given up, or took too long. What it did on the other side is not known. */
function endedError(signal: AbortSignal, attempt: string, cause: unknown): ConnectivityError {
  const { code } = abortedError(signal, attempt)
  const text = code === 'DEADLINE_EXCEEDED' ? 'no answer in time' : 'aborted by the caller'
  return rfcError('COMMUNICATION', attempt, { text, code, requestSent: true, cause })
}

function namesOf(parameters: RfcStructure, attempt: string): RfcStructure {
  try {
    return upperCaseNames(parameters)
  } catch (error) {
    throw rfcError('CONVERSION', attempt, { text: error instanceof Error ? error.message : '', requestSent: false })
  }
}

/** Runs work with one connection after the other calls of the session. */
export function createRfcSession(context: CallContext, lease: RfcLease): RfcSession & { end(): void } {
  let turn: Promise<unknown> = Promise.resolve()
  let isOver = false
  return {
    async call(functionName, parameters = {}, options = {}) {
      const prepared = prepareCall(context, functionName, parameters, options)
      const before = turn
      const { promise, resolve } = Promise.withResolvers<void>()
      turn = promise
      const limited = prepared.startTime()
      try {
        await underSignal(before, limited, prepared.attempt)
        if (isOver) throw new ConnectivityError('ABORTED', `${prepared.attempt}: the session is over`)
        return await prepared.run(lease, limited)
      } finally {
        // A call that was given up while it waited lets nobody pass those before it.
        void before.then(() => resolve())
      }
    },
    end() {
      isOver = true
    },
  }
}
