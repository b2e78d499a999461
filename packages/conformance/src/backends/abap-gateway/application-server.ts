import {
  type CpicChain,
  type CpicField,
  cpicTags,
  decodeParameter,
  type DeepValue,
  encodeInitialValue,
  encodeParameter,
  fixedBytesOf,
  formatCallReply,
  formatChain,
  formatErrorReply,
  formatLogonAcceptance,
  formatLogonRefusal,
  isRefused,
  type LogonServer,
  parseChain,
  type ParameterType,
  readCallRequest,
  readLogonIdentity,
  unscramblePassword,
  type WireParameter,
} from '@sallyport/rfc-wire'
import { AbapFailure, type AbapFunction, type AbapParameter, type AbapSession } from './abap-function.ts'
import { type Dictionary, wireTypeOf } from './dictionary.ts'
import { keptEntries } from './gateway-seen.ts'
import { must, type ServedConnection } from './served-connection.ts'

/** What a chain of a request is answered with. */
interface ChainAnswer {
  readonly chain: Buffer
  readonly endsConversation: boolean
}

/** Answers the requests of one conversation. */
export interface ApplicationServer {
  /** Whether somebody has logged on. */
  readonly hasSession: boolean
  /** `records`: how many records brought the request. */
  answer(chain: CpicChain, records: number): Promise<AnsweredRequest>
}

interface AnsweredRequest {
  readonly step: 'logon' | 'call'
  readonly functionName: string
  readonly answer: ChainAnswer
}

const self: LogonServer = { systemId: 'A4H', instance: 'fixture_A4H_00', address: '127.0.0.1', release: '754' }
const noSession = Buffer.alloc(16)

/** The session of one conversation and what is called in it; nobody has logged on yet. */
export function createApplicationServer(served: ServedConnection): ApplicationServer {
  const { connection, users, seen } = served
  let session: AbapSession | undefined
  let sessionId = noSession
  let wasReset = false

  function logOn(chain: CpicChain): ChainAnswer {
    const { client = '', user = '', language = '', scrambledPassword, sessionId: given } = must(readLogonIdentity(chain))
    const password = scrambledPassword === undefined ? undefined : must(unscramblePassword(scrambledPassword))
    const name = user.toUpperCase()
    const accepted = users.some((each) => each.client === client && each.user === name && each.password === password)
    seen.logons.push({ connection, client, user, language, accepted })
    if (!accepted) return { chain: formatLogonRefusal(self, 'Name or password is incorrect (repeat logon)'), endsConversation: true }
    const memory = new Map<string, unknown>()
    const reset = (): void => {
      memory.clear()
      wasReset = true
    }
    session = { user: name, client, language, memory, reset }
    sessionId = Buffer.from(given ?? noSession)
    return { chain: formatLogonAcceptance(self, { user: name, client, language, sessionId }), endsConversation: false }
  }

  async function call(chain: CpicChain, records: number): Promise<AnsweredRequest> {
    if (session === undefined) throw new Error('a call in front of the logon')
    const request = must(readCallRequest(chain, 'utf16le'))
    const { functionName, inputs, wantedOutputs } = request
    if (seen.calls.length === keptEntries) seen.calls.shift()
    seen.calls.push({ connection, user: session.user, functionName, wantedOutputs, inputs, records })
    wasReset = false
    try {
      const outputs = await run(served, functionName, inputs, wantedOutputs, session)
      const reply = formatCallReply({ sessionId, outputNames: wantedOutputs, outputs })
      return { step: 'call', functionName, answer: { chain: reshape(reply, served, wasReset), endsConversation: false } }
    } catch (error) {
      if (!(error instanceof AbapFailure)) throw error
      const { envelope, endsConversation } = error
      return { step: 'call', functionName, answer: { chain: formatErrorReply(envelope), endsConversation } }
    }
  }

  return {
    get hasSession() {
      return session !== undefined
    },
    async answer(chain, records) {
      if (!chain.logon) return call(chain, records)
      if (session !== undefined) throw new Error('a second logon')
      return { step: 'logon', functionName: '', answer: logOn(chain) }
    },
  }
}

async function run(
  { functions, dictionary }: ServedConnection,
  functionName: string,
  inputs: readonly WireParameter[],
  wantedOutputs: readonly string[],
  session: AbapSession,
): Promise<readonly WireParameter[]> {
  const found = functions.get(functionName)
  if (found === undefined) {
    throw new AbapFailure({ errorText: `Function module "${functionName}" not found.`, runtimeError: 'CALL_FUNCTION_NOT_FOUND' })
  }
  const given: Record<string, DeepValue> = {}
  for (const input of inputs) {
    const parameter = found.parameters.find(({ name }) => name === nameOf(input))
    if (parameter === undefined || parameter.direction === 'export')
      throw new AbapFailure({ errorText: 'A parameter that the function does not have', runtimeError: 'CALL_FUNCTION_PARM_UNKNOWN' })
    const value = decodeParameter(wireParameterOf(dictionary, parameter), input)
    if (isRefused(value)) throw new AbapFailure({ errorText: value.refused, runtimeError: 'CALL_FUNCTION_ILLEGAL_DATA_TYPE' })
    given[parameter.name] = value
  }
  requireInputs(found, given)
  const results = await found.run(given, session)
  return found.parameters
    .filter(({ name, direction }) => direction !== 'import' && wantedOutputs.includes(name))
    .map((parameter) => {
      const wire = wireParameterOf(dictionary, parameter)
      const result = results[parameter.name]
      return result === undefined ? initialParameter(wire) : encodeParameter(wire, result)
    })
}

/** What a function module has not set. */
function initialParameter(wire: ParameterType): WireParameter {
  const { name, type } = wire
  if (type.kind === 'table') return encodeParameter(wire, [])
  if (type.kind === 'components') return encodeParameter(wire, {})
  const bytes = fixedBytesOf(type)
  if (bytes === undefined) return encodeParameter(wire, type.kind === 'string' ? '' : Buffer.alloc(0))
  // No renderer makes these.
  const isUnknown = type.kind === 'decfloat16' || type.kind === 'decfloat34' || type.kind === 'utclong'
  return { kind: 'value', name, value: isUnknown ? Buffer.alloc(bytes) : encodeInitialValue(type, name) }
}

function requireInputs(found: AbapFunction, given: Readonly<Record<string, DeepValue>>): void {
  for (const { name, direction, optional } of found.parameters) {
    if (direction === 'import' && optional !== true && !(name in given)) {
      throw new AbapFailure({ errorText: `Parameter ${name} is missing`, runtimeError: 'CALL_FUNCTION_PARM_MISSING' })
    }
  }
}

function nameOf(input: WireParameter): string {
  return input.kind === 'xml' ? (/^<([^>/]+)/.exec(input.xml)?.[1] ?? '').replaceAll('_-', '/') : input.name
}

function wireParameterOf(dictionary: Dictionary, { name, direction, type }: AbapParameter): ParameterType {
  const wireType = wireTypeOf(dictionary, type)
  return direction === 'tables' ? { name, type: { kind: 'table', row: wireType }, tables: true } : { name, type: wireType, tables: false }
}

/** Puts a reply into another form that says the same. */
function reshape(reply: Buffer, { options }: ServedConnection, wasReset: boolean): Buffer {
  if (!wasReset && options.shortenRows !== true && options.unknownFields !== true) return reply
  const fields: CpicField[] = []
  for (const field of must(parseChain(reply)).fields) {
    fields.push(options.shortenRows === true && field.tag === cpicTags.tableRow ? { ...field, value: shortened(field.value) } : field)
    // Between a table's fields none may stand.
    if (options.unknownFields === true && (field.tag === cpicTags.callStatus || field.tag === cpicTags.parameters)) {
      fields.push({ tag: unknownTag, value: Buffer.alloc(8, 0xa5) })
    }
  }
  if (wasReset) fields.push({ tag: cpicTags.serverReset, value: Buffer.alloc(0) })
  return formatChain(fields, { logon: false })
}

const unknownTag = 0x0667

function shortened(row: Buffer): Buffer {
  let end = row.length
  while (end > 1 && row[end - 1] === row[end - 2]) end -= 1
  return row.subarray(0, end)
}
