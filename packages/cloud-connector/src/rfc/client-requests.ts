import {
  appcFunctions,
  type AppcRecord,
  cpicTags,
  createChainCursor,
  isRefused,
  parseAppcRecord,
  parseChain,
  parseClientInfo,
  readLogonIdentity,
  readRequestData,
  readRequestedFunction,
  type Refused,
  type RequestData,
} from '@sallyport/rfc-wire'
import { createChainWatch } from './chain-watch.ts'
import { belongsTo, type ConversationState } from './conversation-state.ts'
import { explainDataFlags, explainFlags } from './record-flags.ts'
import type { RfcRefusal } from './verdict.ts'

/** Who logs on, as the logon says. */
export interface Logon {
  readonly client: string | undefined
  readonly user: string | undefined
  readonly functionName: string
}

/** Who decides. */
export interface RequestDecisions {
  logon(logon: Logon): RfcRefusal | undefined
  call(functionName: string): RfcRefusal | undefined
}

/** Reads a record from the phase `logon` on: protocols.md 12.2, S3 to S5, and 12.4. `undefined`: it passes as it is. */
export function readRequest(state: ConversationState, payload: Buffer, decisions: RequestDecisions): Refused | RfcRefusal | undefined {
  const record = parseAppcRecord(payload)
  if (isRefused(record)) return record
  const info = parseClientInfo(record.operationInfo)
  if (isRefused(info)) return info
  if (!belongsTo(state, record)) return { refused: 'a record of another conversation' }
  const flags = explainFlags(record)
  if (flags !== undefined) return { refused: flags }
  const isControl = controls.has(record.function)
  if (isControl && state.phase !== 'logon') return readControl(state, record)
  switch (state.phase) {
    case 'logon':
      return readLogon(state, record, decisions)
    case 'idle':
      return readCall(state, record, decisions)
    case 'request':
      return readSlice(state, record)
    case 'callback':
      return readCallbackReply(state, record)
    default:
      return { refused: 'the client speaks before it has been answered' }
  }
}

/** The data of a record whose header says nothing else about it. */
function readData(record: AppcRecord): RequestData | Refused {
  const request = readRequestData(record)
  if (isRefused(request)) return request
  const flags = explainDataFlags(record, request.compact)
  return flags === undefined ? request : { refused: flags }
}

/**
 * Makes the tail of a logon state the length that the logon has, in place. One client states that of a logon it once saw and gateways take it; what passes here
 * says nothing that it is not. Calls with another length are refused.
 */
function stateOwnLength({ body, function: name, sapParameterBytes }: AppcRecord): void {
  if (name === appcFunctions.sapSend && sapParameterBytes === tailBytes && body.length >= tailBytes)
    body.writeUInt32BE(body.length - tailBytes, body.length - tailBytes)
}

const tailBytes = 8

/** Records without data, which may come while a reply is awaited. */
const controls: ReadonlySet<number> = new Set([appcFunctions.deallocate, appcFunctions.ping, appcFunctions.cancel])

function readControl(state: ConversationState, record: AppcRecord): Refused | undefined {
  if (record.body.length > 0) return { refused: `function ${record.function.toString(16)} with data` }
  // A request whose end has not come cannot be gone on with.
  if (record.function === appcFunctions.deallocate) state.phase = 'ended'
  return undefined
}

function readLogon(state: ConversationState, record: AppcRecord, decisions: RequestDecisions): Refused | RfcRefusal | undefined {
  stateOwnLength(record)
  const request = readData(record)
  if (isRefused(request)) return request
  if (!request.last) return { refused: 'logon: in several records' }
  const asked = readRequestedFunction(request.data, { encoding: state.encoding, whole: true })
  if (isRefused(asked)) return asked
  if (!asked.logon) return { refused: 'a request before the logon' }
  const chain = parseChain(request.data)
  if (isRefused(chain)) return chain
  const identity = readLogonIdentity(chain)
  if (isRefused(identity)) return identity
  const refusal = decisions.logon({ client: identity.client, user: identity.user, functionName: asked.functionName })
  if (refusal === undefined) awaitReply(state)
  return refusal
}

function readCall(state: ConversationState, record: AppcRecord, decisions: RequestDecisions): Refused | RfcRefusal | undefined {
  const request = readData(record)
  if (isRefused(request)) return request
  if (!request.compact && request.last) return { refused: 'request: ends before it begins' }
  const asked = readRequestedFunction(request.data, { encoding: state.encoding, whole: request.last })
  if (isRefused(asked)) return asked
  if (asked.logon) return { refused: 'request: logs on once more' }
  const watch = request.last ? undefined : createChainWatch()
  const malformed = watch?.read(request.data)
  if (malformed !== undefined) return malformed
  const refusal = decisions.call(asked.functionName)
  if (refusal !== undefined) return refusal
  state.watch = watch
  passOn(state, request)
  return undefined
}

function readSlice(state: ConversationState, record: AppcRecord): Refused | undefined {
  const { watch } = state
  if (record.function === appcFunctions.flush) return record.body.length > 0 ? { refused: 'request: a flush with data' } : undefined
  const request = readData(record)
  if (isRefused(request)) return request
  if (request.compact) return { refused: 'request: begins before the one before has ended' }
  const malformed = watch?.read(request.data)
  if (malformed !== undefined) return malformed
  if (request.last && watch?.ended !== true) return { refused: 'request: ends before its chain does' }
  passOn(state, request)
  return undefined
}

/** What the client answers to a call of the backend. Nothing in it is decided, but it has to be an answer. */
function readCallbackReply(state: ConversationState, record: AppcRecord): Refused | undefined {
  const request = readData(record)
  if (isRefused(request)) return request
  if (state.watch === undefined) {
    const first = createChainCursor(request.data).next()
    if (typeof first === 'string' || isRefused(first) || first.tag !== cpicTags.reply)
      return { refused: 'a callback is answered with something else' }
    state.watch = createChainWatch()
  }
  const malformed = state.watch.read(request.data)
  if (malformed !== undefined) return malformed
  if (request.last) awaitReply(state)
  return undefined
}

function passOn(state: ConversationState, request: RequestData): void {
  if (request.last) awaitReply(state)
  else state.phase = request.barrier ? 'barrier' : 'request'
}

function awaitReply(state: ConversationState): void {
  state.watch = undefined
  state.replyBegins = true
  state.phase = 'reply'
}
