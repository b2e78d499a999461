import { deallocatedNormally } from './appc-functions.ts'
import type { AppcRecord } from './appc-record.ts'
import type { Conversation } from './conversation-setup.ts'
import { type CpicField, formatChain } from './cpic-chain.ts'
import { cpicTags } from './cpic-tags.ts'
import { refusedLogonPreamble } from './logon-answer.ts'
import { replyRecords } from './reply-records.ts'
import { formatWireText } from './wire-text.ts'

/** What a relay answers to a request that it does not pass on. */
export interface Denial {
  readonly conversation: Conversation
  /** The number behind the server's last one. */
  readonly sequenceNumber: number
  /** Whether it is the logon that is denied: then text is ASCII and the chain begins like that of a refused logon. */
  readonly logon: boolean
  /** Printable ASCII. */
  readonly text: string
}

/**
 * One record that ends the conversation with a text, shaped like a server's refusal of a logon: protocols.md 12.5.
 *
 * @throws TypeError for text that is not ASCII or does not fit into one record.
 */
export function denialRecord(denial: Denial): AppcRecord {
  const { conversation, sequenceNumber, logon } = denial
  const text = formatWireText(denial.text, 'ascii').length > 0 ? denial.text : 'denied'
  const fields: CpicField[] = [
    { tag: cpicTags.reply, value: Buffer.alloc(0) },
    { tag: cpicTags.errorText, value: formatWireText(text, logon ? 'ascii' : 'utf16le') },
  ]
  const chain = formatChain(logon ? [...refusedLogonPreamble, ...fields] : fields, { logon: false })
  const [record, ...others] = replyRecords(chain, { conversation, sequenceNumber, appcReturnCode: deallocatedNormally })
  if (record === undefined || others.length > 0) throw new TypeError('the text of a denial fits into one record')
  return record
}

/** The sentence that callers know: what was denied, on what, and what to do about it. */
export function functionDenialText(functionName: string, virtualHost: string, virtualPort: string): string {
  return `Access denied for ${functionName} on ${virtualHost}:${virtualPort}. Expose the function module in your Cloud Connector in case it was a valid request.`
}

/** Whether a text is that of {@link functionDenialText}, for any function and system: clients tell a connector's answer from a system's by it. */
export function isFunctionDenial(text: string): boolean {
  return /^Access denied for \S{1,30} on \S+\. Expose the function module in your Cloud Connector in case it was a valid request\.$/.test(
    text,
  )
}
