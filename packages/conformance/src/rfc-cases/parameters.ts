import { decodeParameter, type DeepValue, encodeParameter, isRefused, type ParameterType, type WireParameter } from '@sallyport/rfc-wire'
import { abapDictionary, abapFunctions } from '../backends/abap-gateway/abap-functions.ts'
import { wireTypeOf } from '../backends/abap-gateway/dictionary.ts'
import { failCase } from '../expect.ts'
import type { CallOutcome, RfcCaller } from './rfc-caller.ts'

/** How a parameter of a function of the fixture system stands on the wire. */
export function parameterType(functionName: string, name: string): ParameterType {
  const parameter = abapFunctions.find((each) => each.name === functionName)?.parameters.find((each) => each.name === name)
  if (parameter === undefined) throw new Error(`the system of the suite has no ${name} of ${functionName}`)
  const type = wireTypeOf(abapDictionary, parameter.type)
  return parameter.direction === 'tables' ? { name, type: { kind: 'table', row: type }, tables: true } : { name, type, tables: false }
}

/** Values by name, as they go. */
export function encodeInputs(functionName: string, values: Readonly<Record<string, DeepValue>>): readonly WireParameter[] {
  return Object.entries(values).map(([name, value]) => encodeParameter(parameterType(functionName, name), value))
}

/** Calls with values and answers with values. Fails the case when the call does not succeed. */
export async function callForValues(
  caller: RfcCaller,
  functionName: string,
  inputs: Readonly<Record<string, DeepValue>>,
  wanted: readonly string[],
): Promise<Readonly<Record<string, DeepValue>>> {
  return valuesOf(functionName, await caller.call(functionName, encodeInputs(functionName, inputs), wanted))
}

function valuesOf(functionName: string, outcome: CallOutcome): Readonly<Record<string, DeepValue>> {
  if (outcome.kind !== 'success')
    failCase(`${functionName} did not succeed: ${outcome.kind === 'error' ? JSON.stringify(outcome.error) : outcome.kind}`)
  const values: Record<string, DeepValue> = {}
  for (const output of outcome.outputs) {
    const name = output.kind === 'xml' ? (/^<([^>/]+)/.exec(output.xml)?.[1] ?? '') : output.name
    const value = decodeParameter(parameterType(functionName, name), output)
    values[name] = isRefused(value) ? failCase(`${functionName}: ${value.refused}`) : value
  }
  return values
}
