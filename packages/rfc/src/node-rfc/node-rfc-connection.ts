import { abortedError, underSignal } from '@sallyport/core'
import { lookUpFunction } from '../classic/look-up-function.ts'
import type { FunctionRepository } from '../function-repository.ts'
import { goodbyeMs } from '../limits.ts'
import type { RfcConnection } from '../rfc-binding.ts'
import { rfcError } from '../rfc-errors.ts'
import type { RfcStructure } from '../rfc-value.ts'
import type { LocalWay } from './bridge-parameters.ts'
import { nodeRfcError } from './node-rfc-errors.ts'
import type { NodeRfcClient } from './node-rfc-module.ts'
import { fromNodeRfcStructure, toNodeRfcStructure } from './node-rfc-value.ts'

/** A client of node-rfc that is open. */
export interface NodeRfcConnectionDeps {
  readonly client: NodeRfcClient
  readonly bridge: LocalWay | undefined
  readonly repository: FunctionRepository
  /** For messages: `destination "ERP"`. */
  readonly name: string
  /** The password. */
  readonly secret: string | undefined
}

/** One connection of the SDK. After a failure the library may have reconnected by itself; that connection is closed, too. */
export function createNodeRfcConnection({ client, bridge, repository, name, secret }: NodeRfcConnectionDeps): RfcConnection {
  let isClosed = false
  const run = async <T>(attempt: string, signal: AbortSignal, requestSent: boolean, work: () => Promise<T>): Promise<T> => {
    if (signal.aborted) throw abortedError(signal, attempt)
    // The library heeds no signal. What is under way ends by this, or with the connection.
    const cancel = (): void => void client.cancel().catch(() => {})
    signal.addEventListener('abort', cancel, { once: true })
    try {
      return await underSignal(work(), signal, attempt)
    } catch (error) {
      throw nodeRfcError(error, { attempt, requestSent, secret, wayFailure: bridge?.failure })
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }
  const call = async (
    functionName: string,
    parameters: RfcStructure,
    signal: AbortSignal,
    notRequested: readonly string[],
  ): Promise<RfcStructure> => {
    const attempt = `call ${functionName} at ${name}`
    const inputs = converted(attempt, () => toNodeRfcStructure(parameters))
    return fromNodeRfcStructure(await run(attempt, signal, true, async () => client.call(functionName, inputs, { notRequested })))
  }
  return {
    get isAlive() {
      return !isClosed && client.alive
    },
    call: (functionName, parameters, { signal, notRequested }) => call(functionName, parameters, signal, notRequested),
    // The SDK keeps what it knows of function modules to itself, so the system is asked.
    describe: (functionName, signal) =>
      repository.describe(functionName, () =>
        lookUpFunction(functionName, (each, values) => call(each.name, values, signal, []), `look up ${functionName} at ${name}`),
      ),
    ping: async (signal) => void (await run(`ping of ${name}`, signal, true, async () => client.ping())),
    reset: async (signal) => void (await run(`reset of a connection to ${name}`, signal, true, async () => client.resetServerContext())),
    async close() {
      if (isClosed) return
      isClosed = true
      await closeClient(client)
      await bridge?.[Symbol.asyncDispose]()
    },
  }
}

/** Says goodbye, and does not wait for ever that it is said. */
export async function closeClient(client: NodeRfcClient): Promise<void> {
  // A client that has lost its connection rejects; there is nothing more to close.
  await underSignal(client.close(), AbortSignal.timeout(goodbyeMs), 'close').catch(() => {})
}

function converted<T>(attempt: string, convert: () => T): T {
  try {
    return convert()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw rfcError('CONVERSION', attempt, { text: error.message, requestSent: false })
  }
}
