import type { ConnectivityError } from '@sallyport/core'
import {
  type CpicChain,
  decodeParameter,
  type DeepType,
  encodeParameter,
  formatCallRequest,
  isRefused,
  type ParameterType,
  readCallReply,
  type WireParameter,
  xmlParameterName,
} from '@sallyport/rfc-wire'

import type { FunctionDescription, FunctionParameter } from '../function-description.ts'
import { rfcError } from '../rfc-errors.ts'
import type { RfcStructure, RfcValue } from '../rfc-value.ts'
import { callError, violationError } from './classic-errors.ts'
import { clientRelease } from './log-on.ts'
import { fromWireValue, toWireValue } from './wire-value.ts'

/**
 * Renders a call. Asks for every output that is not in `notRequested`, but for those with a type that nobody could read: one of them would cost the whole answer.
 *
 * @throws ConnectivityError of the group CONVERSION for parameters that the function does not have and values that their types do not take.
 */
export function formatCall(
  description: FunctionDescription,
  parameters: RfcStructure,
  notRequested: readonly string[],
  attempt: string,
): Buffer {
  try {
    const inputs: WireParameter[] = []
    for (const [name, value] of Object.entries(parameters)) {
      if (value === undefined) continue
      const parameter = description.parameters.find((each) => each.name === name)
      if (parameter === undefined) throw new TypeError(`${description.name} has no parameter ${name}`)
      if (parameter.direction === 'exporting') throw new TypeError(`${name} is an output of ${description.name} and cannot be given`)
      inputs.push(encodeParameter(wireParameter(parameter), toWireValue(parameter.type, value, name)))
    }
    const unwanted = new Set(notRequested)
    const wantedOutputs = description.parameters
      .filter(({ name, direction, type }) => direction !== 'importing' && !unwanted.has(name) && isReadable(type))
      .map(({ name }) => name)
    return formatCallRequest({ release: clientRelease, functionName: description.name, wantedOutputs, inputs })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw rfcError('CONVERSION', attempt, { text: error.message, requestSent: false })
  }
}

/** Reads a reply. @throws ConnectivityError for an error of the system, and for a reply that is none. */
export function readReply(description: FunctionDescription, chain: CpicChain, attempt: string, requestSent: boolean): RfcStructure {
  const reply = readCallReply(chain, 'utf16le')
  if (isRefused(reply)) throw violationError(attempt, reply.refused, requestSent)
  if (reply.kind === 'callback') throw callbackError(attempt, requestSent)
  if (reply.kind === 'error') throw callError(attempt, reply.error, requestSent)
  const outputs: [string, RfcValue][] = []
  for (const wire of reply.outputs) {
    const name = wire.kind === 'xml' ? xmlParameterName(wire.xml) : wire.name
    const parameter = description.parameters.find((each) => each.name === name)
    // An output that the description does not have is of no use to anybody.
    if (parameter === undefined || parameter.direction === 'importing') continue
    const value = decodeParameter(wireParameter(parameter), wire)
    if (isRefused(value)) throw violationError(attempt, value.refused, requestSent)
    outputs.push([parameter.name, fromWireValue(value)])
  }
  return Object.fromEntries(outputs)
}

/** DECFLOAT and UTCLONG are not, nor what has them inside. */
function isReadable(type: DeepType): boolean {
  switch (type.kind) {
    case 'decfloat16':
    case 'decfloat34':
    case 'utclong':
      return false
    case 'table':
      return isReadable(type.row)
    case 'structure':
      return type.fields.every((part) => isReadable(part.type))
    case 'components':
      return type.components.every((part) => isReadable(part.type))
    default:
      return true
  }
}

function wireParameter({ name, type, direction }: FunctionParameter): ParameterType {
  return { name, type, tables: direction === 'tables' }
}

function callbackError(attempt: string, requestSent: boolean): ConnectivityError {
  const text = 'the function module calls functions of its caller, of which there are none here'
  return rfcError('COMMUNICATION', attempt, { text, requestSent, code: 'OPERATION_FORBIDDEN' })
}
