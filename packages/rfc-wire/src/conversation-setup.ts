import { appcFunctions } from './appc-functions.ts'
import { type AppcRecord, clientAppcRecord, serverAppcRecord } from './appc-record.ts'
import { codePages } from './gateway-connect.ts'
import { formatInitializeParameters, formatPartnerParameters, initializeParameterBytes } from './initialize-parameters.ts'
import { formatClientInfo, formatInitializeInfo, formatPartnerInfo, formatServerInfo, parseInitializeInfo } from './operation-info.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'

/** Which system a conversation is for. */
export interface ConversationTarget {
  /** At most 128 characters. */
  readonly host: string
  /** Two digits. */
  readonly systemNumber: string
  /** Sixteen hexadecimal digits, random. */
  readonly rootContextId: string
  /** Sixteen hexadecimal digits, random. */
  readonly connectionId: string
  /** At most 12 characters; may be `''`. */
  readonly osUser: string
}

/** The conversation that a gateway has assigned; every later record names it. */
export interface Conversation {
  readonly conversationId: string
  readonly connectionIndex: number
}

const noIndex = 0xffff
const clientName = 'NWRFC'

/**
 * Step 3 of protocols.md 11.7: asks the gateway for a conversation.
 *
 * @throws TypeError for a system number that is not two digits, identifiers that are not 16 hexadecimal digits, and names that do not fit.
 */
export function initializeRecord(target: ConversationTarget): AppcRecord {
  const { host, systemNumber, rootContextId, connectionId, osUser } = target
  if (!/^\d\d$/.test(systemNumber)) throw new TypeError('a system number is two digits')
  if (![rootContextId, connectionId].every((id) => /^[0-9A-F]{16}$/i.test(id))) throw new TypeError('identifiers are 16 hexadecimal digits')
  if (host === '') throw new TypeError('a conversation without a host')
  const transactionProgram = `sapdp${systemNumber}`
  return clientAppcRecord({
    function: appcFunctions.initialize,
    info2: 0x01,
    info3: 0xc0,
    info4: 0x04,
    info: 0x05,
    sapParameterBytes: initializeParameterBytes,
    operationInfo: formatInitializeInfo({
      destination: clientName,
      logicalUnit: shortName(host),
      transactionProgram,
      connectionType: 0x49,
      clientInfo: 1,
      communicationIndex: 0,
      connectionIndex: noIndex,
    }),
    body: formatInitializeParameters({
      destination: clientName,
      flags: 1,
      rootContextId,
      connectionId,
      connectionIdSuffix: 1,
      timeout: -2,
      keepAlive: -2,
      exportTrace: 2,
      startType: 0,
      networkProtocol: 0,
      ipv6: Buffer.alloc(16),
      logicalUnit: host,
      osUser,
      ipv4: Buffer.alloc(4),
      transactionProgram,
    }),
  })
}

/** Step 4, read by the client: which conversation the gateway has assigned, or why there is none. */
export function readInitializeReply(reply: AppcRecord): Conversation | Refused {
  if (reply.function !== appcFunctions.initialize) return refuse('INITIALIZE: answered by another function')
  if (reply.appcReturnCode !== 0) return refuse(`INITIALIZE: refused with return code ${reply.appcReturnCode}/${reply.sapReturnCode}`)
  if (reply.conversationId === '') return refuse('INITIALIZE: no conversation assigned')
  const info = parseInitializeInfo(reply.operationInfo)
  return isRefused(info) ? info : { conversationId: reply.conversationId, connectionIndex: info.connectionIndex }
}

/** Step 4, sent by a peer that plays gateway. */
export function initializeReply(request: AppcRecord, conversation: Conversation): AppcRecord {
  const info = parseInitializeInfo(request.operationInfo)
  if (isRefused(info)) throw new TypeError(info.refused)
  return {
    ...request,
    info4: 0x06,
    conversationId: conversation.conversationId,
    operationInfo: formatInitializeInfo({ ...info, connectionIndex: conversation.connectionIndex }),
    body: Buffer.alloc(0),
  }
}

/** Step 5: names the host in full. The gateway does not answer. */
export function partnerRecord(host: string, { conversationId, connectionIndex }: Conversation): AppcRecord {
  const hostAddress = Buffer.alloc(16)
  const body = formatPartnerParameters({ logicalUnit: host, hostAddress })
  return clientAppcRecord({
    function: appcFunctions.setPartnerLogicalUnit,
    info2: 0x01,
    info: 0x04,
    sapParameterBytes: body.length,
    conversationId,
    operationInfo: formatPartnerInfo({
      logicalUnit: shortName(host),
      logicalUnitBytes: host.length,
      hostAddress,
      communicationIndex: noIndex,
      connectionIndex,
    }),
    body,
  })
}

/** Step 6: lets the gateway connect to the system. */
export function allocateRecord({ conversationId, connectionIndex }: Conversation): AppcRecord {
  const operationInfo = formatClientInfo({ dataBytes: 0, communicationIndex: noIndex, connectionIndex })
  return clientAppcRecord({ function: appcFunctions.allocate, info: 0x01, conversationId, operationInfo })
}

/** Step 7, sent by a peer that plays gateway. */
export function allocateReply({ conversationId, connectionIndex }: Conversation): AppcRecord {
  const operationInfo = formatServerInfo({
    ...nothingReceived,
    codePage: codePages.utf16LittleEndian,
    communicationIndex: 0,
    connectionIndex,
  })
  // No data, so none of the numbers that describe it.
  operationInfo.fill(0, 0, 16)
  return serverAppcRecord({ function: appcFunctions.allocate, time: 0, timeout: 0, info: 0x01, conversationId, operationInfo })
}

/** Step 11: ends the conversation; the connection is closed behind it. */
export function deallocateRecord({ conversationId, connectionIndex }: Conversation): AppcRecord {
  const operationInfo = formatClientInfo({ dataBytes: 0, communicationIndex: noIndex, connectionIndex })
  return clientAppcRecord({ function: appcFunctions.deallocate, info: 0x01, conversationId, operationInfo })
}

const nothingReceived = { receiveCapacity: 0, dataBytes: 0, status: 0 }

/** The first eight characters, without blanks at the end. */
export function shortName(host: string): string {
  return host.slice(0, 8).trimEnd()
}
