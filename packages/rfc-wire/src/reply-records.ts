import { appcFunctions, deallocatedNormally } from './appc-functions.ts'
import { type AppcRecord, serverAppcRecord } from './appc-record.ts'
import type { Conversation } from './conversation-setup.ts'
import { codePages } from './gateway-connect.ts'
import { maxReplyBytes, maxSliceBytes } from './limits.ts'
import { formatServerInfo, parseServerInfo } from './operation-info.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'

/** A reply whose last record has arrived. */
export interface Reply {
  /** The chain, put together. */
  readonly data: Buffer
  /** 18 where the server has ended the conversation with this reply. */
  readonly appcReturnCode: number
  readonly sapReturnCode: number
}

/** Puts the records of a server together to replies. */
export interface ReplyReader {
  /** Takes the next record; the reply if it is complete now, `'more'` if not. After a refusal the conversation is unusable. */
  read(record: AppcRecord): Reply | 'more' | Refused
}

const endOfMessage = 0x04

/** Reads replies of at most `maxBytes` data each. The next reply begins behind the last record of the one before. */
export function createReplyReader(options: { readonly maxBytes: number } = { maxBytes: maxReplyBytes }): ReplyReader {
  let parts: Buffer[] = []
  let bytes = 0
  return {
    read(record) {
      if (record.function !== appcFunctions.sapSend && record.function !== appcFunctions.receive) {
        return refuse(`reply: function ${record.function.toString(16)} instead of data`)
      }
      const info = parseServerInfo(record.operationInfo)
      if (isRefused(info)) return info
      const isLast = record.appcReturnCode !== 0 || (record.vector & endOfMessage) !== 0
      if (info.dataBytes !== record.body.length) return refuse('reply: a record states another length than it has')
      if (record.body.length === 0 && !isLast) return refuse('reply: a record without data')
      bytes += record.body.length
      if (bytes > options.maxBytes) return refuse(`reply: more than ${options.maxBytes} bytes`)
      parts.push(record.body)
      if (!isLast) return 'more'
      const data = parts.length === 1 ? record.body : Buffer.concat(parts, bytes)
      parts = []
      bytes = 0
      return { data, appcReturnCode: record.appcReturnCode, sapReturnCode: record.sapReturnCode }
    },
  }
}

/** What a server says with a reply. */
export interface ReplyOptions {
  readonly conversation: Conversation
  /** Of the first record; the others count on. */
  readonly sequenceNumber: number
  /** 0, or 18 to end the conversation. */
  readonly appcReturnCode: number
}

/** Cuts a chain into the records of a reply, for peers that play server. */
export function replyRecords(chain: Buffer, options: ReplyOptions): readonly AppcRecord[] {
  const { conversation, appcReturnCode } = options
  const { conversationId, connectionIndex } = conversation
  const ends = appcReturnCode === deallocatedNormally
  return Array.from({ length: Math.max(1, Math.ceil(chain.length / maxSliceBytes)) }, (_, at) => {
    const body = chain.subarray(at * maxSliceBytes, (at + 1) * maxSliceBytes)
    const isLast = (at + 1) * maxSliceBytes >= chain.length
    return serverAppcRecord({
      function: at === 0 ? appcFunctions.sapSend : appcFunctions.receive,
      sequenceNumber: options.sequenceNumber + at,
      // A refused logon, the one captured form that ends a conversation, looks like this.
      timeout: ends ? -1 : 500,
      info: ends ? 0x01 : 0x05,
      vector: isLast && !ends ? 0x0c : 0x08,
      sapParameterBytes: ends ? 0 : 8,
      appcReturnCode: isLast ? appcReturnCode : 0,
      conversationId,
      operationInfo: formatServerInfo({
        receiveCapacity: maxSliceBytes,
        dataBytes: body.length,
        status: ends ? 0 : 1,
        codePage: codePages.utf16LittleEndian,
        communicationIndex: 0,
        connectionIndex,
      }),
      body,
    })
  })
}

/** The answer to a slice that awaits one, for peers that play server. */
export function acknowledgementRecord(conversation: Conversation, sequenceNumber: number): AppcRecord {
  const { conversationId, connectionIndex } = conversation
  const codePage = codePages.utf16LittleEndian
  const operationInfo = formatServerInfo({
    receiveCapacity: maxSliceBytes,
    dataBytes: 0,
    status: 1,
    codePage,
    communicationIndex: 0,
    connectionIndex,
  })
  return serverAppcRecord({ function: appcFunctions.sendData, sequenceNumber, info: 0x01, conversationId, operationInfo })
}

/** Whether a record is the answer to a slice that awaits one; why it is not otherwise. */
export function readAcknowledgement(record: AppcRecord): { readonly acknowledged: true } | Refused {
  if (record.function !== appcFunctions.sendData || record.body.length > 0)
    return refuse('slice: answered by something else than an acknowledgement')
  if (record.appcReturnCode !== 0) return refuse(`slice: refused with return code ${record.appcReturnCode}/${record.sapReturnCode}`)
  return { acknowledged: true }
}
