import { ConnectivityError } from '@sallyport/core'
import { type CpicChain, cpicTags, isRefused, parseChain } from '@sallyport/rfc-wire'
import type { FunctionDescription } from '../function-description.ts'
import type { RfcConnection, RfcConnectionCall } from '../rfc-binding.ts'
import { rfcError } from '../rfc-errors.ts'
import type { RfcStructure } from '../rfc-value.ts'
import { formatCall, readReply } from './call-chain.ts'
import { violationError } from './classic-errors.ts'
import type { RfcConversation } from './conversation.ts'
import { metadataInterfaces } from './metadata-interfaces.ts'

/** What a call needs besides its parameters. */
interface DescribedCallOptions extends RfcConnectionCall {
  /** The application has asked for it, and not the client for itself. */
  readonly isCall: boolean
}

/** A connection that calls what it is told the interface of. */
export interface DescribedConnection {
  readonly isAlive: boolean
  call(description: FunctionDescription, parameters: RfcStructure, options: DescribedCallOptions): Promise<RfcStructure>
  ping(signal: AbortSignal): Promise<void>
  reset(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Finds the interface of a function, if need be with calls on the connection that is going to call it. */
export type DescribeFunction = (functionName: string, connection: DescribedConnection, signal: AbortSignal) => Promise<FunctionDescription>

const { ping, reset } = metadataInterfaces
/** Makes a connection of a conversation whose user is logged on. `name` is what errors call the destination. */
export function createDescribedConnection(conversation: RfcConversation, name: string): DescribedConnection {
  async function exchange(description: FunctionDescription, parameters: RfcStructure, options: DescribedCallOptions): Promise<Answer> {
    const { signal, isCall } = options
    const attempt = `call ${description.name} at ${name}`
    const chain = formatCall(description, parameters, options.notRequested, attempt)
    const reply = await conversation.request(chain, { attempt, signal, isCall })
    try {
      const answer = parseChain(reply.data)
      if (isRefused(answer)) throw violationError(attempt, answer.refused, isCall)
      return { chain: answer, outputs: readReply(description, answer, attempt, isCall) }
    } catch (error) {
      // Nobody says goodbye to a system that does not speak the protocol.
      if (ConnectivityError.is(error, 'PROTOCOL_VIOLATION')) conversation.fail(error)
      throw error
    }
  }
  const connection: DescribedConnection = {
    get isAlive() {
      return conversation.isAlive
    },
    call: async (description, parameters, options) => (await exchange(description, parameters, options)).outputs,
    async ping(signal) {
      await exchange(ping, {}, { signal, notRequested: [], isCall: false })
    },
    async reset(signal) {
      const { chain } = await exchange(reset, {}, { signal, notRequested: [], isCall: false })
      if (chain.fields.some(({ tag }) => tag === cpicTags.serverReset)) return
      throw rfcError('COMMUNICATION', `reset of the session at ${name}`, {
        text: 'the system did not say that it is done',
        requestSent: true,
      })
    },
    close: () => conversation.close(),
  }
  return connection
}

interface Answer {
  readonly chain: CpicChain
  readonly outputs: RfcStructure
}

/** Makes the connection that a client uses, which looks up what it calls. */
export function createClassicConnection(connection: DescribedConnection, describe: DescribeFunction): RfcConnection {
  return {
    get isAlive() {
      return connection.isAlive
    },
    async call(functionName, parameters, options) {
      return connection.call(await describe(functionName, connection, options.signal), parameters, { ...options, isCall: true })
    },
    describe: (functionName, signal) => describe(functionName, connection, signal),
    ping: (signal) => connection.ping(signal),
    reset: (signal) => connection.reset(signal),
    close: () => connection.close(),
  }
}
