import type { AppcRecord, Conversation, WireEncoding } from '@sallyport/rfc-wire'
import type { ChainWatch } from './chain-watch.ts'

/**
 * Whose turn it is, and for what: protocols.md 12.2. `connect` to `logon` are the states S0 to S3 in which the client speaks; `…ing` waits for the backend's answer
 * to that. `idle` is S4, `request` and `barrier` S5. In `callback` the client answers a call of the backend. After `ended` nothing passes any more.
 */
export type Phase =
  | 'connect'
  | 'connecting'
  | 'initialize'
  | 'initializing'
  | 'allocate'
  | 'allocating'
  | 'logon'
  | 'idle'
  | 'request'
  | 'barrier'
  | 'reply'
  | 'callback'
  | 'ended'

/** One connection of a client with what has been agreed on it so far. */
export interface ConversationState {
  phase: Phase
  /** Assigned by the gateway. */
  conversation: Conversation | undefined
  /** Of text behind the logon; what the gateway has announced. */
  encoding: WireEncoding
  /** Of the backend's last record. */
  sequenceNumber: number
  /** INITIALIZE as the client wrote it, until it is answered. */
  initialize: Buffer
  /** SET_PARTNER_LU_NAME comes once or never. */
  partnerNamed: boolean
  /** Of a request in slices. */
  watch: ChainWatch | undefined
  /** The next record of the backend begins a reply. */
  replyBegins: boolean
  /** What the backend sends instead of a reply is a call. */
  isCallback: boolean
}

const nothing = Buffer.alloc(0)

/** A connection on which nobody has spoken. */
export function createConversationState(): ConversationState {
  return {
    phase: 'connect',
    conversation: undefined,
    encoding: 'ascii',
    sequenceNumber: 0,
    initialize: nothing,
    partnerNamed: false,
    watch: undefined,
    replyBegins: true,
    isCallback: false,
  }
}

/** Where records of clients name the connection that the gateway has assigned. */
const connectionIndexAt = 78

/** Whether a record of the client is for the conversation that the gateway has assigned. */
export function belongsTo({ conversation }: ConversationState, record: AppcRecord): boolean {
  return conversation !== undefined && record.conversationId === conversation.conversationId
}

/**
 * Makes a record name the connection that the gateway has assigned, in place. There are clients that always name the same one, so gateways do not mind; naming
 * somebody else's shall nevertheless lead nowhere.
 */
export function assignConnection({ conversation }: ConversationState, payload: Buffer): void {
  if (conversation !== undefined && payload.readUInt16BE(connectionIndexAt) !== conversation.connectionIndex)
    payload.writeUInt16BE(conversation.connectionIndex, connectionIndexAt)
}
