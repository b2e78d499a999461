import { type CpicChain, type CpicField, fieldValue, formatChain } from './cpic-chain.ts'
import { cpicTags } from './cpic-tags.ts'
import { readErrorEnvelope, type RfcErrorEnvelope } from './error-envelope.ts'
import { codePages } from './gateway-connect.ts'
import { type Refused, refuse } from './refusal.ts'
import { formatWireText, readTrimmedText, type WireEncoding } from './wire-text.ts'

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

/** Who answers a logon, for peers that play server. All text is printable ASCII. */
export interface LogonServer {
  /** Three letters or digits. */
  readonly systemId: string
  /** `host_SID_NN` */
  readonly instance: string
  readonly address: string
  /** Three characters, such as `754`. */
  readonly release: string
}

const protocolVersion = Buffer.from('00000e0b', 'hex')
const replyCapabilities = Buffer.from('0401000300030200000023', 'hex')
const nothing = Buffer.alloc(0)

/** How an answer begins that refuses a logon. */
export const refusedLogonPreamble: readonly CpicField[] = [
  { tag: cpicTags.start, value: Buffer.from(refusedStart, 'hex') },
  { tag: cpicTags.protocolVersion, value: protocolVersion },
  { tag: cpicTags.capabilities, value: replyCapabilities },
]

/** Renders the answer that lets a user in, in UTF-16LE: protocols.md 11.9. */
export function formatLogonAcceptance(
  server: LogonServer,
  logon: { readonly user: string; readonly client: string; readonly language: string; readonly sessionId: Buffer },
): Buffer {
  const text = (value: string): Buffer => formatWireText(value, 'utf16le')
  const fields: CpicField[] = [
    { tag: cpicTags.start, value: Buffer.from(acceptedStart, 'hex') },
    ...refusedLogonPreamble.slice(1),
    ...serverFields(server, 0, text),
    { tag: cpicTags.loggedOnUser, value: text(logon.user.padEnd(12)) },
    { tag: cpicTags.loggedOnClient, value: text(logon.client) },
    { tag: cpicTags.loggedOnLanguage, value: text(logon.language) },
    { tag: cpicTags.reply, value: nothing },
    { tag: cpicTags.replyContext, value: nothing },
    { tag: cpicTags.sessionId, value: logon.sessionId },
    { tag: cpicTags.callStatus, value: Buffer.alloc(4) },
    { tag: cpicTags.parameters, value: nothing },
    { tag: cpicTags.programName, value: text(programName.padEnd(40)) },
  ]
  return formatChain(fields, { logon: false })
}

/** Renders the answer that refuses a logon, in ASCII; it belongs into a record with return code 18. */
export function formatLogonRefusal(server: LogonServer, errorText: string): Buffer {
  const text = (value: string): Buffer => formatWireText(value, 'ascii')
  const fields: CpicField[] = [
    ...refusedLogonPreamble,
    ...serverFields(server, 1, text),
    { tag: cpicTags.reply, value: nothing },
    { tag: cpicTags.errorText, value: text(errorText) },
  ]
  return formatChain(fields, { logon: false })
}

/** The program that takes calls. */
const programName = 'SAPLSRFC'

function serverFields(server: LogonServer, status: number, text: (value: string) => Buffer): readonly CpicField[] {
  const { systemId, instance, address, release } = server
  return [
    { tag: cpicTags.logonStatus, value: Buffer.of(status) },
    { tag: cpicTags.systemCodePage, value: text(codePages.utf16LittleEndian) },
    { tag: cpicTags.systemId, value: text(systemId) },
    { tag: cpicTags.clientAddress, value: text(address) },
    { tag: cpicTags.partner, value: text(address) },
    { tag: cpicTags.host, value: text(instance) },
    { tag: cpicTags.callerType, value: text('3') },
    { tag: cpicTags.kernelRelease, value: text(release.padEnd(4)) },
    { tag: cpicTags.release, value: text(release.padEnd(4)) },
    { tag: cpicTags.programName, value: text(programName.padEnd(40)) },
  ]
}
