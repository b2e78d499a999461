import {
  appcFunctions,
  type AppcRecord,
  cpicTags,
  createChainCursor,
  encodingOfCodePage,
  isRefused,
  parseAppcRecord,
  parseGatewayConnect,
  parseServerInfo,
  readAcknowledgement,
  readInitializeReply,
  type Refused,
  relayedAppcFunctions,
  rewriteInitializeReply,
} from '@sallyport/rfc-wire'
import type { ConversationState } from './conversation-state.ts'

/** What a message of the backend is. */
export type BackendMessage =
  | { readonly kind: 'pass'; readonly payload: Buffer; readonly completes: boolean }
  /** The backend calls the client. */
  | { readonly kind: 'callback' }

const endOfMessage = 0x04

/**
 * Reads a message of the backend, to know whose turn it is: protocols.md 12.2. Data passes as it is; names in the reply to INITIALIZE are those that the client
 * had asked for.
 */
export function readBackend(
  state: ConversationState,
  payload: Buffer,
  options: { readonly allowCallbacks: () => boolean },
): BackendMessage | Refused {
  if (state.phase === 'connecting') return readConnectAnswer(state, payload)
  const record = parseAppcRecord(payload)
  if (isRefused(record)) return record
  if (!relayedAppcFunctions.has(record.function)) return { refused: `function ${record.function.toString(16)} from the backend` }
  state.sequenceNumber = record.sequenceNumber
  if (state.phase === 'initializing') return readInitializeAnswer(state, payload, record)
  if (endsConversation(record)) {
    state.phase = 'ended'
    return pass(payload, true)
  }
  switch (state.phase) {
    case 'allocating':
      return readAllocateAnswer(state, payload, record)
    case 'barrier':
      return readBarrierAnswer(state, payload, record)
    case 'reply':
      return readReply(state, payload, record, options)
    default:
      // An answer to a ping of the client, which may come whenever it is not the backend's turn.
      return record.function === appcFunctions.ping ? pass(payload, false) : { refused: 'the backend speaks out of its turn' }
  }
}

function readConnectAnswer(state: ConversationState, payload: Buffer): BackendMessage | Refused {
  const answer = parseGatewayConnect(payload)
  if (isRefused(answer)) return answer
  state.encoding = encodingOfCodePage(answer.codePage)
  state.phase = answer.returnCode === 0 ? 'initialize' : 'ended'
  return pass(payload, false)
}

function readInitializeAnswer(state: ConversationState, payload: Buffer, record: AppcRecord): BackendMessage | Refused {
  if (record.appcReturnCode !== 0) {
    state.phase = 'ended'
    return record.function === appcFunctions.initialize ? withAskedNames(state, payload) : pass(payload, false)
  }
  const conversation = readInitializeReply(record)
  if (isRefused(conversation)) return conversation
  state.conversation = conversation
  state.phase = 'allocate'
  return withAskedNames(state, payload)
}

function withAskedNames(state: ConversationState, payload: Buffer): BackendMessage | Refused {
  const rewritten = rewriteInitializeReply(payload, state.initialize)
  state.initialize = Buffer.alloc(0)
  return isRefused(rewritten) ? rewritten : pass(rewritten, false)
}

function readAllocateAnswer(state: ConversationState, payload: Buffer, record: AppcRecord): BackendMessage | Refused {
  if (record.function !== appcFunctions.allocate) return { refused: 'ALLOCATE: answered by another function' }
  state.phase = 'logon'
  return pass(payload, false)
}

function readBarrierAnswer(state: ConversationState, payload: Buffer, record: AppcRecord): BackendMessage | Refused {
  const acknowledged = readAcknowledgement(record)
  if (isRefused(acknowledged)) return acknowledged
  state.phase = 'request'
  return pass(payload, false)
}

function readReply(
  state: ConversationState,
  payload: Buffer,
  record: AppcRecord,
  { allowCallbacks }: { readonly allowCallbacks: () => boolean },
): BackendMessage | Refused {
  if (record.function === appcFunctions.ping || record.function === appcFunctions.canceled) return pass(payload, false)
  if (record.function !== appcFunctions.sapSend && record.function !== appcFunctions.receive)
    return { refused: `reply: function ${record.function.toString(16)} instead of data` }
  const info = parseServerInfo(record.operationInfo)
  if (isRefused(info)) return info
  if (info.dataBytes !== record.body.length) return { refused: 'reply: a record states another length than it has' }
  if (state.replyBegins) {
    const begins = readBeginning(record.body)
    if (isRefused(begins)) return begins
    if (begins === 'callback' && !allowCallbacks()) return { kind: 'callback' }
    state.isCallback = begins === 'callback'
  }
  const isLast = (record.vector & endOfMessage) !== 0
  state.replyBegins = isLast
  if (isLast) state.phase = state.isCallback ? 'callback' : 'idle'
  return pass(payload, isLast && !state.isCallback)
}

/** A reply begins with 0500, or with 0101 and names no function before 0500. */
function readBeginning(data: Buffer): 'reply' | 'callback' | Refused {
  const cursor = createChainCursor(data)
  for (;;) {
    const field = cursor.next()
    if (field === 'end' || field === 'truncated') return 'reply'
    if (isRefused(field)) return field
    if (field.tag === cpicTags.reply) return 'reply'
    if (field.tag === cpicTags.call || field.tag === cpicTags.functionName) return 'callback'
  }
}

/** A return code other than 0 makes a record the last one, whatever else it says; so do the functions that end a conversation. */
function endsConversation(record: AppcRecord): boolean {
  return record.appcReturnCode !== 0 || record.function === appcFunctions.deallocate
}

function pass(payload: Buffer, completes: boolean): BackendMessage {
  return { kind: 'pass', payload, completes }
}
