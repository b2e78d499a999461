import { randomBytes } from 'node:crypto'
import type { ConnectivityError } from '@sallyport/core'
import {
  allocateRecord,
  appcFunctions,
  type AppcRecord,
  clientGatewayConnect,
  type Conversation,
  createReplyReader,
  deallocateRecord,
  encodingOfCodePage,
  formatAppcRecord,
  formatGatewayConnect,
  initializeRecord,
  isRefused,
  isRouterError,
  parseAppcRecord,
  parseGatewayConnect,
  parseRouterError,
  partnerRecord,
  readAcknowledgement,
  readInitializeReply,
  type Refused,
  type Reply,
  type ReplyReader,
  requestRecords,
} from '@sallyport/rfc-wire'
import { rfcError } from '../rfc-errors.ts'
import { brokenError, gatewayError, routerError, violationError } from './classic-errors.ts'
import type { NiTurn } from './ni-link.ts'
import type { ReachedGateway } from './reach-gateway.ts'

/** Names under which this client appears at the system. */
export interface ClientIdentity {
  /** At most 10 characters. */
  readonly program: string
  /** At most 8 characters are told to the gateway. */
  readonly hostName: string
}

/** What is asked, for errors, and what ends it. */
interface ConversationRequest {
  readonly attempt: string
  readonly signal: AbortSignal
  /** A call of the application; anything else may be repeated. */
  readonly isCall: boolean
}

/** A conversation with the application server behind a gateway; requests come one after the other. */
export interface RfcConversation {
  readonly isAlive: boolean
  /** Sends a chain and waits for the whole reply. @throws ConnectivityError; the conversation is over then. */
  request(chain: Buffer, request: ConversationRequest): Promise<Reply>
  /** Ends it because of what an answer said. */
  fail(error: ConnectivityError): void
  /** Ends it in good order if it stands. Never throws, works more than once. */
  close(): Promise<void>
}

/** Takes a fresh link through the steps 1 to 7 of protocols.md 11.7. The conversation owns the link; on failure it is closed. @throws ConnectivityError. */
export async function openConversation(
  { link, host: name, systemNumber }: ReachedGateway,
  identity: ClientIdentity,
  attempt: string,
  signal: AbortSignal,
): Promise<RfcConversation> {
  // The records have no room for more; the link leads there already.
  const host = name.slice(0, maxHostCharacters)
  try {
    const conversation = await link.exchange({ attempt, signal }, async (turn) => {
      await turn.send(formatGatewayConnect(clientGatewayConnect(identity)))
      readGreeting(await turn.receive(), attempt)
      const target = { host, systemNumber, rootContextId: randomId(), connectionId: randomId(), osUser: '' }
      await turn.send(formatAppcRecord(initializeRecord(target)))
      const initialized = await takeRecord(turn, attempt, false)
      if (initialized.appcReturnCode !== 0) throw gatewayError(attempt, initialized, false)
      const assigned = must(readInitializeReply(initialized), attempt, false)
      // Nothing answers this one.
      await turn.send(formatAppcRecord(partnerRecord(host, assigned)))
      await turn.send(formatAppcRecord(allocateRecord(assigned)))
      const allocated = await takeRecord(turn, attempt, false)
      if (allocated.appcReturnCode !== 0) throw gatewayError(attempt, allocated, false)
      if (allocated.function !== appcFunctions.allocate) throw violationError(attempt, 'ALLOCATE: answered by another function', false)
      return assigned
    })
    return createConversation(link, conversation)
  } catch (error) {
    await link.close()
    throw error
  }
}

/** Of a host in INITIALIZE and SET_PARTNER_LU_NAME. */
const maxHostCharacters = 128

function createConversation(link: ReachedGateway['link'], conversation: Conversation): RfcConversation {
  return {
    get isAlive() {
      return link.isAlive
    },
    async request(chain, request) {
      const { attempt, isCall } = request
      const reply = await link.exchange(request, async (turn) => {
        const reader = createReplyReader()
        for (const { record, awaitsAcknowledgement } of requestRecords(chain, conversation)) {
          await turn.send(formatAppcRecord(record))
          if (!awaitsAcknowledgement) continue
          const answer = await takeOwnRecord(turn, conversation, request)
          // Who does not want the rest answers at once.
          if (answer.function !== appcFunctions.sendData) return readReply(answer, reader, turn, conversation, request)
          must(readAcknowledgement(answer), attempt, isCall)
        }
        return readReply(await takeOwnRecord(turn, conversation, request), reader, turn, conversation, request)
      })
      // The other side has ended the conversation with its answer.
      if (reply.appcReturnCode !== 0) link.fail(brokenError(attempt, isCall))
      return reply
    },
    fail: (error) => link.fail(error),
    close: () => link.close(formatAppcRecord(deallocateRecord(conversation))),
  }
}

async function readReply(
  first: AppcRecord,
  reader: ReplyReader,
  turn: NiTurn,
  conversation: Conversation,
  request: ConversationRequest,
): Promise<Reply> {
  const { attempt, isCall } = request
  for (let record = first; ; record = await takeOwnRecord(turn, conversation, request)) {
    if (record.errorBytes > 0 || (record.appcReturnCode !== 0 && record.body.length === 0)) throw gatewayError(attempt, record, isCall)
    const result = must(reader.read(record), attempt, isCall)
    if (result !== 'more') return result
  }
}

async function takeRecord(turn: NiTurn, attempt: string, requestSent: boolean): Promise<AppcRecord> {
  return must(parseAppcRecord(await turn.receive()), attempt, requestSent)
}

async function takeOwnRecord(
  turn: NiTurn,
  { conversationId }: Conversation,
  { attempt, isCall }: ConversationRequest,
): Promise<AppcRecord> {
  const record = await takeRecord(turn, attempt, isCall)
  if (record.conversationId !== conversationId) throw violationError(attempt, 'a record of another conversation', isCall)
  return record
}

function readGreeting(payload: Buffer, attempt: string): void {
  const error = isRouterError(payload) ? parseRouterError(payload) : undefined
  if (error !== undefined && !isRefused(error)) throw routerError(attempt, error)
  const greeting = must(parseGatewayConnect(payload), attempt, false)
  if (greeting.returnCode !== 0) {
    throw rfcError('COMMUNICATION', attempt, {
      text: `the gateway refuses clients (return code ${greeting.returnCode})`,
      requestSent: false,
    })
  }
  if (encodingOfCodePage(greeting.codePage) !== 'utf16le') {
    const text = `the system has the code page ${greeting.codePage}; the binding classic speaks to Unicode systems (4103) alone`
    throw rfcError('COMMUNICATION', attempt, { text, requestSent: false, code: 'VERSION_UNSUPPORTED' })
  }
}

function must<T>(result: T | Refused, attempt: string, requestSent: boolean): T {
  if (isRefused(result)) throw violationError(attempt, result.refused, requestSent)
  return result
}

function randomId(): string {
  return randomBytes(8).toString('hex').toUpperCase()
}
