import {
  appcFunctions,
  codePages,
  gatewayRequestTypes,
  type InternalTarget,
  isRefused,
  isRouteRequest,
  isSncFrame,
  parseAppcRecord,
  parseClientInfo,
  parseGatewayConnect,
  parsePartnerInfo,
  type Refused,
  rewriteGatewayConnect,
  rewriteInitialize,
  rewritePartner,
} from '@sallyport/rfc-wire'
import { belongsTo, type ConversationState } from './conversation-state.ts'
import { explainFlags } from './record-flags.ts'

/** How the connector calls itself towards gateways, where clients write their host. */
const relayName = 'sallyport'

/** The only version whose records are known. */
const appcVersion = 6

/** Of names in headers. A gateway that reads them as EBCDIC reads others than the relay does. */
const readableCodePages: ReadonlySet<string> = new Set(Object.values(codePages))

/** What the set-up of a conversation needs to know. */
export interface SetupRules {
  readonly target: InternalTarget
  readonly strictInitialize: boolean
}

/** Reads a message in one of the phases `connect`, `initialize` and `allocate`, and returns what goes to the gateway instead: protocols.md 12.2 and 12.3. */
export function readSetup(state: ConversationState, payload: Buffer, rules: SetupRules): Buffer | Refused {
  if (isSncFrame(payload)) return { refused: 'SNC is not for a mapping of protocol RFC' }
  if (isRouteRequest(payload)) return { refused: 'routes are chosen by the connector, not by its callers' }
  if (state.phase === 'connect') return readConnect(state, payload)
  return state.phase === 'initialize' ? readInitialize(state, payload, rules) : readAllocate(state, payload, rules)
}

function readConnect(state: ConversationState, payload: Buffer): Buffer | Refused {
  const record = parseGatewayConnect(payload)
  if (isRefused(record)) return record
  if (record.requestType !== gatewayRequestTypes.normalClient)
    return { refused: `gateway connect record: request type ${record.requestType}` }
  if (record.appcVersion !== appcVersion) return { refused: `gateway connect record: APPC records of version ${record.appcVersion}` }
  if (!readableCodePages.has(record.codePage)) return { refused: 'gateway connect record: a code page that is not based on ASCII' }
  const rewritten = rewriteGatewayConnect(payload, { hostName: relayName })
  if (!isRefused(rewritten)) state.phase = 'connecting'
  return rewritten
}

function readInitialize(state: ConversationState, payload: Buffer, { strictInitialize, target }: SetupRules): Buffer | Refused {
  const rewritten = rewriteInitialize(payload, target, { strict: strictInitialize })
  if (isRefused(rewritten)) return rewritten
  const record = parseAppcRecord(payload)
  if (isRefused(record)) return record
  const flags = explainFlags(record)
  if (flags !== undefined) return { refused: flags }
  if (record.conversationId !== '') return { refused: 'INITIALIZE: a conversation that nobody has assigned' }
  // The payload is a view of what a socket has read.
  state.initialize = Buffer.from(payload)
  state.phase = 'initializing'
  return rewritten
}

function readAllocate(state: ConversationState, payload: Buffer, { target }: SetupRules): Buffer | Refused {
  const record = parseAppcRecord(payload)
  if (isRefused(record)) return record
  const flags = explainFlags(record)
  if (flags !== undefined) return { refused: flags }
  if (record.function === appcFunctions.setPartnerLogicalUnit && !state.partnerNamed) {
    const info = parsePartnerInfo(record.operationInfo)
    if (isRefused(info)) return info
    if (!belongsTo(state, record)) return { refused: 'SET_PARTNER_LU_NAME: another conversation' }
    state.partnerNamed = true
    return rewritePartner(payload, target)
  }
  if (record.function !== appcFunctions.allocate)
    return { refused: `function ${record.function.toString(16)} before the conversation is allocated` }
  const info = parseClientInfo(record.operationInfo)
  if (isRefused(info)) return info
  if (!belongsTo(state, record)) return { refused: 'ALLOCATE: another conversation' }
  if (record.body.length > 0) return { refused: 'ALLOCATE: bytes behind its header' }
  state.phase = 'allocating'
  return payload
}
