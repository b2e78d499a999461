import { appcFunctions } from './appc-functions.ts'
import { type AppcRecord, clientAppcRecord, appcHeaderBytes } from './appc-record.ts'
import type { Conversation } from './conversation-setup.ts'
import { announcedPacketBytes, maxSliceBytes, maxUnacknowledgedSlices } from './limits.ts'
import { formatClientInfo, parseClientInfo } from './operation-info.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'

/** One record of a request. */
export interface RequestStep {
  readonly record: AppcRecord
  /** Whether the server answers this record before the next one may be sent. The last record is answered with the reply. */
  readonly awaitsAcknowledgement: boolean
}

const noIndex = 0xffff
const tailBytes = 8

/** end of message, with what follows it received at once */
const compactVector = 0x0c

/**
 * Cuts a chain into the records of a request: protocols.md 11.7. A chain of at most 28000 bytes is one record with a tail; a longer one is sent in slices, of
 * which every 22nd is acknowledged. Records are made one by one; their bodies are views of the chain, but for the tail.
 */
export function* requestRecords(chain: Buffer, conversation: Conversation): Generator<RequestStep, void, undefined> {
  if (chain.length <= maxSliceBytes) {
    yield { record: compactRequest(chain, conversation), awaitsAcknowledgement: false }
    return
  }
  for (let at = 0, slice = 0; at < chain.length; at += maxSliceBytes, slice += 1) {
    const body = chain.subarray(at, at + maxSliceBytes)
    const isBarrier = slice % (maxUnacknowledgedSlices + 1) === maxUnacknowledgedSlices
    const name = isBarrier ? appcFunctions.sendData : appcFunctions.asyncSendData
    yield { record: dataRecord(name, isBarrier ? 0x01 : 0x00, body, conversation), awaitsAcknowledgement: isBarrier }
  }
  yield { record: dataRecord(appcFunctions.receive, 0x01, Buffer.alloc(0), conversation), awaitsAcknowledgement: false }
}

function compactRequest(chain: Buffer, { conversationId, connectionIndex }: Conversation): AppcRecord {
  const tail = Buffer.alloc(tailBytes)
  tail.writeUInt32BE(chain.length)
  tail.writeUInt32BE(announcedPacketBytes, 4)
  return clientAppcRecord({
    function: appcFunctions.sapSend,
    info: 0x05,
    vector: compactVector,
    sapParameterBytes: tailBytes,
    conversationId,
    operationInfo: formatClientInfo({ dataBytes: 0, communicationIndex: noIndex, connectionIndex }),
    body: Buffer.concat([chain, tail]),
  })
}

function dataRecord(name: number, info: number, body: Buffer, { conversationId, connectionIndex }: Conversation): AppcRecord {
  const operationInfo = formatClientInfo({ dataBytes: body.length, communicationIndex: noIndex, connectionIndex })
  return clientAppcRecord({ function: name, info, conversationId, operationInfo, body })
}

/** What a client's data record brings: bytes of a chain, and whether the request ends here. */
export interface RequestData {
  readonly data: Buffer
  /** The record is a request of its own, with a tail. */
  readonly compact: boolean
  /** The server has to acknowledge before it receives more. */
  readonly barrier: boolean
  /** Nothing of this request follows. */
  readonly last: boolean
}

/** Reads a data record of a client: 07, 08, 09 or cb. The lengths it states have to be those it has. */
export function readRequestData(record: AppcRecord): RequestData | Refused {
  const { body, sapParameterBytes } = record
  if (record.function === appcFunctions.sapSend) {
    const chainBytes = body.length - tailBytes
    if (sapParameterBytes !== tailBytes || chainBytes < 0) return refuse('request: no tail')
    if (chainBytes > maxSliceBytes) return refuse(`request: more than ${maxSliceBytes} bytes in one record`)
    if (body.readUInt32BE(chainBytes) !== chainBytes) return refuse('request: the tail states another length')
    return { data: body.subarray(0, chainBytes), compact: true, barrier: false, last: true }
  }
  const info = parseClientInfo(record.operationInfo)
  if (isRefused(info)) return info
  if (sapParameterBytes !== 0) return refuse('request: a slice with parameters')
  if (body.length > maxSliceBytes || info.dataBytes !== body.length) return refuse('request: length of a slice')
  const isReceive = record.function === appcFunctions.receive
  const barrier = record.function === appcFunctions.sendData
  if (!isReceive && !barrier && record.function !== appcFunctions.asyncSendData) return refuse('request: a function without data')
  if (isReceive !== (body.length === 0)) return refuse(isReceive ? 'request: data behind the end' : 'request: an empty slice')
  return { data: body, compact: false, barrier, last: isReceive }
}

/** Largest record of a client once the conversation stands. */
export const maxRequestRecordBytes: number = appcHeaderBytes + maxSliceBytes + tailBytes
