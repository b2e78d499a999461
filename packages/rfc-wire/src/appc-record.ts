import { formatLayout, readLayout } from './record-layout.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'

/**
 * One record of version 6: 48 bytes common to all, 32 bytes for the function, and what follows them. See protocols.md 11.6 for the bits.
 */
export interface AppcRecord {
  /** One of {@link appcFunctions}. */
  readonly function: number
  readonly mode: number
  readonly uid: number
  readonly gatewayId: number
  /** Above 0 where the text of an error follows. */
  readonly errorBytes: number
  readonly info2: number
  readonly traceLevel: number
  readonly time: number
  readonly info3: number
  /** Milliseconds in replies; negative values have meanings of their own. */
  readonly timeout: number
  readonly info4: number
  readonly sequenceNumber: number
  /** Bytes of parameters at the end of the body, in records of clients. Servers repeat the number of what they answer, without parameters. */
  readonly sapParameterBytes: number
  readonly info: number
  /** 01 initialise, 02 allocate, 04 end of message, 08 receive, 10 flush. */
  readonly vector: number
  /** See {@link appcReturnCodeName}. */
  readonly appcReturnCode: number
  readonly sapReturnCode: number
  /** Eight digits; `''` before one is assigned. */
  readonly conversationId: string
  /** 32 bytes; see the operation information of the function. A view of what was parsed. */
  readonly operationInfo: Buffer
  /** Data or parameters; a view of what was parsed. */
  readonly body: Buffer
}

/** Bytes in front of the body. */
export const appcHeaderBytes = 80

const headerLayout = {
  name: 'APPC record',
  size: appcHeaderBytes,
  constants: [
    [0, '06'],
    [2, '02'],
    [28, '0000'],
  ],
  fields: {
    function: [1, 'u8'],
    mode: [3, 'u8'],
    uid: [4, 'u16'],
    gatewayId: [6, 'u16'],
    errorBytes: [8, 'u16'],
    info2: [10, 'u8'],
    traceLevel: [11, 'u8'],
    time: [12, 'u32'],
    info3: [16, 'u8'],
    timeout: [17, 'i32'],
    info4: [21, 'u8'],
    sequenceNumber: [22, 'u32'],
    sapParameterBytes: [26, 'u16'],
    info: [30, 'u8'],
    vector: [31, 'u8'],
    appcReturnCode: [32, 'u32'],
    sapReturnCode: [36, 'u32'],
    conversationId: [40, 'text', 8, 'blank'],
    operationInfo: [48, 'bytes', 32],
  },
} as const

/** Reads the payload of one NI message as a record. What follows the header is not looked into. */
export function parseAppcRecord(payload: Buffer): AppcRecord | Refused {
  const header = readLayout(headerLayout, payload)
  if (isRefused(header)) return header
  if (!isConversationId(header.conversationId)) return refuse('APPC record: the conversation is not eight digits')
  return { ...header, body: payload.subarray(appcHeaderBytes) }
}

/**
 * Renders a record as the payload of one NI message.
 *
 * @throws TypeError for fields that do not fit and for conversations that are not eight digits.
 */
export function formatAppcRecord(record: AppcRecord): Buffer {
  if (!isConversationId(record.conversationId)) throw new TypeError('a conversation is eight digits')
  return Buffer.concat([formatLayout(headerLayout, record), record.body])
}

/** A record as clients send it, but for what the caller sets. */
export function clientAppcRecord(parts: Pick<AppcRecord, 'function'> & Partial<AppcRecord>): AppcRecord {
  return { ...blankRecord, operationInfo: Buffer.alloc(32), body: Buffer.alloc(0), ...parts }
}

/** A record as servers send it once the conversation stands, but for what the caller sets. */
export function serverAppcRecord(parts: Pick<AppcRecord, 'function'> & Partial<AppcRecord>): AppcRecord {
  return clientAppcRecord({ time: 0x0001_0000, info3: 0x01, timeout: 500, info4: 0x02, ...parts })
}

const blankRecord: Omit<AppcRecord, 'function' | 'operationInfo' | 'body'> = {
  mode: 0,
  uid: 0xffff,
  gatewayId: 0,
  errorBytes: 0,
  info2: 0,
  traceLevel: 0,
  time: 0,
  info3: 0,
  timeout: 0,
  info4: 0,
  sequenceNumber: 0,
  sapParameterBytes: 0,
  info: 0,
  vector: 0,
  appcReturnCode: 0,
  sapReturnCode: 0,
  conversationId: '',
}

function isConversationId(text: string): boolean {
  return text === '' || /^\d{8}$/.test(text)
}
