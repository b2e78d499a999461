import { once } from 'node:events'
import type { Credentials, RfcBindingName, RfcDestination } from '@sallyport/core'
import { parseDestination, silentLogger } from '@sallyport/core'
import { createManualClock, type ManualClock } from '@sallyport/test-fixtures'
import { createRfcAdapter, type RfcBinding, type RfcClient, type RfcConnection, rfcError, type RfcStructure } from '../src/index.ts'

/** What a connection of the scripted binding has seen. */
export interface ScriptedConnection {
  readonly number: number
  isAlive: boolean
  isClosed: boolean
  pings: number
  resets: number
  /** Calls in the session since it was cleared: the memory of the ABAP session. */
  counter: number
}

/** A system that has one function module for every thing that can happen to a call. */
export interface ScriptedBinding extends RfcBinding {
  readonly connections: readonly ScriptedConnection[]
  /** Lets a call of WAIT answer. */
  readonly answers: (() => void)[]
  opensFail: boolean
  pingsFail: boolean
}

/** Functions: COUNT counts in the session, WAIT waits for the test, RAISE raises, DROP loses the connection, DUMP dumps, ECHO answers what it is given. */
export function createScriptedBinding(name: RfcBindingName, more: Partial<RfcBinding> = {}): ScriptedBinding {
  const connections: ScriptedConnection[] = []
  const answers: (() => void)[] = []
  const functions: Readonly<
    Record<string, (state: ScriptedConnection, parameters: RfcStructure, signal: AbortSignal) => Promise<RfcStructure>>
  > = {
    ECHO: async (_state, parameters) => parameters,
    COUNT: async (state) => ({ COUNTER: ++state.counter, CONNECTION: state.number }),
    RAISE: async () => {
      throw rfcError('ABAP_EXCEPTION', 'call RAISE', { key: 'NOT_FOUND', requestSent: true })
    },
    DROP: async (state) => {
      state.isAlive = false
      throw rfcError('COMMUNICATION', 'call DROP', { requestSent: true })
    },
    DUMP: async () => {
      throw rfcError('SYSTEM_FAILURE', 'call DUMP', { key: 'COMPUTE_INT_ZERODIVIDE', requestSent: true })
    },
    WAIT: async (_state, _parameters, signal) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      answers.push(resolve)
      await Promise.race([promise, once(signal, 'abort')])
      signal.throwIfAborted()
      return { DONE: 'X' }
    },
  }
  const open = async (): Promise<RfcConnection> => {
    if (binding.opensFail) throw rfcError('COMMUNICATION', 'connect', { requestSent: false })
    const state: ScriptedConnection = { number: connections.length + 1, isAlive: true, isClosed: false, pings: 0, resets: 0, counter: 0 }
    connections.push(state)
    return {
      get isAlive() {
        return state.isAlive
      },
      call: async (functionName, parameters, { signal }) => {
        const run = functions[functionName]
        if (run === undefined) throw rfcError('FUNCTION_NOT_FOUND', `call ${functionName}`, { requestSent: true })
        return run(state, parameters, signal)
      },
      describe: async (functionName) => ({ name: functionName, parameters: [], exceptions: [] }),
      async ping() {
        state.pings += 1
        if (binding.pingsFail) throw rfcError('COMMUNICATION', 'ping', { requestSent: true })
      },
      async reset() {
        state.resets += 1
        state.counter = 0
      },
      async close() {
        state.isAlive = false
        state.isClosed = true
      },
    }
  }
  const binding: ScriptedBinding = {
    name,
    capabilities: { stateful: true, principalPropagation: false, secureNetwork: false, loadBalancing: true, webSocket: false },
    probe: async () => ({ available: true }),
    prepare: () => ({ open, async [Symbol.asyncDispose]() {} }),
    ...more,
    connections,
    answers,
    opensFail: false,
    pingsFail: false,
  }
  return binding
}

/** A destination for tests of what is above the bindings. */
export function scriptedDestination(properties: Readonly<Record<string, string>> = {}): RfcDestination {
  return parseDestination({
    Name: 'ERP',
    Type: 'RFC',
    'jco.destination.proxy_type': 'OnPremise',
    'jco.client.client': '800',
    'jco.client.user': 'JANE',
    ...('jco.client.wshost' in properties || 'jco.client.mshost' in properties
      ? {}
      : { 'jco.client.ashost': 'erp.virtual', 'jco.client.sysnr': '42' }),
    ...properties,
  }) as RfcDestination
}

/** A client over the scripted binding, on a clock that the test moves. */
export async function scriptedClient(
  pool: Readonly<Record<string, string>> = {},
  credentials: Credentials = { kind: 'none' },
): Promise<{ readonly client: RfcClient; readonly binding: ScriptedBinding; readonly clock: ManualClock }> {
  const clock = createManualClock()
  const binding = createScriptedBinding('node-rfc')
  const properties = Object.fromEntries(Object.entries(pool).map(([name, value]) => [`jco.destination.${name}`, value]))
  const client = await createRfcAdapter({ clock, bindings: [binding] }).connect(scriptedDestination(properties), {
    dial: () => Promise.reject(new Error('nobody dials here')),
    credentials,
    signal: new AbortController().signal,
    log: silentLogger,
  })
  return { client, binding, clock }
}
