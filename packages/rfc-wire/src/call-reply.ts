import { formatParameter, readParameters, type WireParameter } from './call-request.ts'
import { type CpicChain, type CpicField, fieldValue, formatChain } from './cpic-chain.ts'
import { cpicTags } from './cpic-tags.ts'
import { formatErrorEnvelope, readErrorEnvelope, type RfcErrorEnvelope } from './error-envelope.ts'
import { type Refused, refuse } from './refusal.ts'
import { formatWireText, type WireEncoding } from './wire-text.ts'

/** How a call ended. */
export type CallReply =
  | { readonly kind: 'success'; readonly outputs: readonly WireParameter[] }
  | { readonly kind: 'error'; readonly error: RfcErrorEnvelope }
  /** The server calls back before it answers. */
  | { readonly kind: 'callback' }

/** Reads the chain of a reply. Fields that we do not know are passed over; a reply without error and without a state of 0 is refused. */
export function readCallReply(chain: CpicChain, encoding: WireEncoding): CallReply | Refused {
  const { fields } = chain
  const begin = fields.findIndex(({ tag }) => tag === cpicTags.reply)
  const name = fields.findIndex(({ tag }) => tag === cpicTags.functionName)
  if (fields[0]?.tag === cpicTags.call || (name >= 0 && (begin < 0 || name < begin))) return { kind: 'callback' }
  if (begin < 0) return refuse('reply: begins like something else')
  const error = readErrorEnvelope(fields, encoding)
  if (error !== undefined) return { kind: 'error', error }
  const status = fieldValue(fields, cpicTags.callStatus)
  if (status === undefined || status.length !== 4) return refuse('reply: neither an error nor a state')
  if (status.readUInt32BE() !== 0) return { kind: 'error', error: {} }
  const outputs = readParameters(fields.slice(begin + 1), encoding)
  return 'refused' in outputs ? outputs : { kind: 'success', outputs }
}

/** What a peer that plays server answers. */
export interface CallReplyOptions {
  /** Sixteen bytes. */
  readonly sessionId: Buffer
  readonly outputNames: readonly string[]
  readonly outputs: readonly WireParameter[]
}

/** Renders a successful reply in UTF-16LE. */
export function formatCallReply(reply: CallReplyOptions): Buffer {
  const nothing = Buffer.alloc(0)
  const fields: CpicField[] = [
    { tag: cpicTags.reply, value: nothing },
    { tag: cpicTags.replyContext, value: nothing },
    { tag: cpicTags.sessionId, value: reply.sessionId },
    { tag: cpicTags.callStatus, value: Buffer.alloc(4) },
    { tag: cpicTags.parameters, value: nothing },
    ...reply.outputNames.map((name) => ({ tag: cpicTags.wantedOutput, value: formatWireText(name, 'utf16le') })),
    ...reply.outputs.flatMap((output) => formatParameter(output)),
  ]
  return formatChain(fields, { logon: false })
}

/** Renders a reply that tells of an error, in UTF-16LE. */
export function formatErrorReply(error: RfcErrorEnvelope): Buffer {
  const envelope = formatErrorEnvelope(error, (text) => formatWireText(text, 'utf16le'))
  return formatChain([{ tag: cpicTags.reply, value: Buffer.alloc(0) }, ...envelope], { logon: false })
}
