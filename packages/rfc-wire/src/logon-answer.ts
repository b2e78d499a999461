import { type CpicChain, fieldValue } from './cpic-chain.ts'
import { cpicTags } from './cpic-tags.ts'
import { readErrorEnvelope, type RfcErrorEnvelope } from './error-envelope.ts'
import { type Refused, refuse } from './refusal.ts'
import { readTrimmedText, type WireEncoding } from './wire-text.ts'

/** What a server says to a logon. */
export type LogonAnswer =
  | {
      readonly accepted: true
      readonly systemId: string | undefined
      readonly user: string | undefined
      readonly client: string | undefined
    }
  | { readonly accepted: false; readonly error: RfcErrorEnvelope }

const acceptedStart = '0101010504010003'
const refusedStart = '0101010101010000'

/**
 * Reads the answer to a logon: protocols.md 11.9. Accepted means: it says so, no error is in it, and neither of its two states is other than 0. Everything else
 * that keeps the format is a refusal of the server.
 *
 * `encoding` is that of the conversation; a refusal is ASCII whatever the conversation uses.
 */
export function readLogonAnswer(chain: CpicChain, encoding: WireEncoding): LogonAnswer | Refused {
  const { fields } = chain
  const first = fields[0]
  const begin = first?.tag === cpicTags.start ? first.value.toString('hex') : ''
  const isReply = first?.tag === cpicTags.reply
  if (begin !== acceptedStart && begin !== refusedStart && !isReply) return refuse('logon: answered with something else')
  const error = readErrorEnvelope(fields, begin === refusedStart ? 'ascii' : encoding)
  if (begin !== acceptedStart || error !== undefined) return { accepted: false, error: error ?? {} }
  const logonStatus = fieldValue(fields, cpicTags.logonStatus)
  const callStatus = fieldValue(fields, cpicTags.callStatus)
  if (isSet(logonStatus) || callStatus === undefined || isSet(callStatus)) return { accepted: false, error: {} }
  const text = (tag: number): string | undefined => {
    const value = fieldValue(fields, tag)
    return value === undefined ? undefined : readTrimmedText(value, encoding)
  }
  return { accepted: true, systemId: text(cpicTags.systemId), user: text(cpicTags.loggedOnUser), client: text(cpicTags.loggedOnClient) }
}

function isSet(status: Buffer | undefined): boolean {
  return status !== undefined && status.some((byte) => byte !== 0)
}
