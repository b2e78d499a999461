import { type CpicChain, type CpicField, fieldValue, formatChain } from './cpic-chain.ts'
import { cpicTags } from './cpic-tags.ts'
import { scramblePassword } from './password.ts'
import { type Refused, refuse } from './refusal.ts'
import { formatWireText, readTrimmedText } from './wire-text.ts'

/** What a client logs on with. */
export interface LogonRequest {
  /** Three digits. */
  readonly client: string
  /** At most 12 characters. */
  readonly user: string
  readonly password: string
  /** One letter of SAP's. */
  readonly language: string
  readonly clientAddress: string
  readonly hostName: string
  readonly program: string
  /** Three characters, such as `754`. */
  readonly release: string
  /** Names what the client was configured with. */
  readonly destination: string
  /** Sixteen random bytes; names the session afterwards. */
  readonly sessionId: Buffer
  /** A random number of 32 bits, for the password. */
  readonly passwordSeed: number
}

/** What a relay or a server reads of a logon. `undefined` where the field is missing. The password is left scrambled. */
export interface LogonIdentity {
  readonly client: string | undefined
  /** As it was sent; compare it in upper case. */
  readonly user: string | undefined
  readonly language: string | undefined
  readonly scrambledPassword: Buffer | undefined
  readonly functionName: string | undefined
  readonly sessionId: Buffer | undefined
}

const start = Buffer.from('0301010101010000', 'hex')
const protocolVersion = Buffer.from('00000e0b', 'hex')
const capabilities = Buffer.from('04010003000a0200000023', 'hex')
const nothing = Buffer.alloc(0)

/**
 * Renders the chain of a logon, in the order of protocols.md 11.9; the function it calls is `RFCPING`.
 *
 * @throws TypeError for values that do not fit. Messages never repeat them.
 */
export function formatLogonRequest(logon: LogonRequest): Buffer {
  if (!/^\d{3}$/.test(logon.client)) throw new TypeError('a client is three digits')
  if (logon.user === '' || logon.user.length > 12) throw new TypeError('a user has 1 to 12 characters')
  if (!/^[A-Z0-9]$/i.test(logon.language)) throw new TypeError('a language is one letter or digit')
  if (logon.sessionId.length !== 16) throw new TypeError('a session is 16 bytes')
  const text = (value: string): Buffer => formatWireText(value, 'ascii')
  const fields: CpicField[] = [
    { tag: cpicTags.start, value: start },
    { tag: cpicTags.protocolVersion, value: protocolVersion },
    { tag: cpicTags.capabilities, value: capabilities },
    { tag: cpicTags.sessionId, value: logon.sessionId },
    { tag: cpicTags.client, value: text(logon.client) },
    { tag: cpicTags.user, value: text(logon.user) },
    { tag: cpicTags.password, value: scramblePassword(logon.password, logon.passwordSeed) },
    { tag: cpicTags.language, value: text(logon.language) },
    { tag: cpicTags.unicode, value: Buffer.from([1]) },
    { tag: cpicTags.clientAddress, value: text(logon.clientAddress) },
    { tag: cpicTags.callerType, value: text('E') },
    { tag: cpicTags.release, value: text(logon.release) },
    { tag: cpicTags.kernelRelease, value: text(logon.release) },
    { tag: cpicTags.host, value: text(logon.hostName) },
    { tag: cpicTags.destination, value: text(logon.destination) },
    { tag: cpicTags.programName, value: text(logon.program) },
    { tag: cpicTags.call, value: nothing },
    { tag: cpicTags.callerRelease, value: text(logon.release) },
    { tag: cpicTags.functionName, value: text('RFCPING') },
  ]
  return formatChain(fields, { logon: true })
}

/** Reads who logs on. A field that occurs twice is refused, because two readers could take different ones; so is another user in a copy of the field. */
export function readLogonIdentity(chain: CpicChain): LogonIdentity | Refused {
  const [first] = chain.fields
  if (!chain.logon || first === undefined || first.tag !== cpicTags.start || !first.value.equals(start))
    return refuse('logon: begins like something else')
  const { client, user, password, language, functionName, sessionId } = cpicTags
  for (const tag of [client, user, cpicTags.userCopy2, cpicTags.userCopy3, password, language, functionName, sessionId]) {
    if (chain.fields.filter((field) => field.tag === tag).length > 1)
      return refuse(`logon: field ${tag.toString(16).padStart(4, '0')} twice`)
  }
  const texts: Record<'client' | 'user' | 'language' | 'functionName', string | undefined> = {
    client: undefined,
    user: undefined,
    language: undefined,
    functionName: undefined,
  }
  for (const [name, tag] of Object.entries({ client, user, language, functionName }) as [keyof typeof texts, number][]) {
    const value = fieldValue(chain.fields, tag)
    if (value === undefined) continue
    const text = readTrimmedText(value, 'ascii')
    if (text === undefined) return refuse(`logon: ${name} is not ASCII`)
    texts[name] = text
  }
  for (const tag of [cpicTags.userCopy2, cpicTags.userCopy3]) {
    const copy = fieldValue(chain.fields, tag)
    if (copy !== undefined && readTrimmedText(copy, 'ascii')?.toUpperCase() !== texts.user?.toUpperCase()) return refuse('logon: two users')
  }
  return { ...texts, scrambledPassword: fieldValue(chain.fields, password), sessionId: fieldValue(chain.fields, sessionId) }
}
