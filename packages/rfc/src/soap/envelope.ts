import type { FunctionDescription } from '../function-description.ts'
import type { RfcStructure } from '../rfc-value.ts'
import { elementName, formatElement } from './soap-value.ts'

/** Namespaces of SOAP-RFC. */
export const namespaces = {
  envelope: 'http://schemas.xmlsoap.org/soap/envelope/',
  functions: 'urn:sap-com:document:sap:rfc:functions',
  errors: 'urn:sap-com:document:sap:soap:functions',
} as const

/** What a call sends. */
export interface EnvelopeContents {
  readonly functionName: string
  /** By upper-case name. */
  readonly parameters: RfcStructure
  /** `undefined` where nobody knows the interface. */
  readonly description: FunctionDescription | undefined
  /** Tables by name, where the description is missing. */
  readonly tables: readonly string[]
  /** Outputs that nobody wants; a table of these that is not given is not sent. */
  readonly notRequested: readonly string[]
}

/**
 * Writes a call (protocols.md 13.2). Tables are always sent: one that is not in the request is not in the reply either, although the function fills it.
 *
 * @throws TypeError for parameters that the function does not have, and values that do not fit.
 */
export function formatEnvelope({ functionName, parameters, description, tables, notRequested }: EnvelopeContents): string {
  const operation = elementName(functionName)
  const wanted = (name: string): boolean => !notRequested.includes(name)
  const parts = description === undefined ? untypedParts(parameters, tables.filter(wanted)) : typedParts(parameters, description, wanted)
  return (
    '<?xml version="1.0" encoding="utf-8"?>' +
    `<soapenv:Envelope xmlns:soapenv="${namespaces.envelope}" xmlns:urn="${namespaces.functions}"><soapenv:Header/><soapenv:Body>` +
    `<urn:${operation}>${parts.join('')}</urn:${operation}></soapenv:Body></soapenv:Envelope>`
  )
}

function typedParts(parameters: RfcStructure, description: FunctionDescription, wanted: (name: string) => boolean): readonly string[] {
  const inputs = description.parameters.filter(({ direction }) => direction !== 'exporting')
  for (const name of Object.keys(parameters)) {
    if (!inputs.some((parameter) => parameter.name === name)) throw new TypeError(`${name} is not an input of the function module`)
  }
  return inputs.map(({ name, type, direction }) => {
    const value = parameters[name]
    if (value !== undefined) return formatElement(name, type, value)
    return direction === 'tables' && wanted(name) ? formatElement(name, type, []) : ''
  })
}

function untypedParts(parameters: RfcStructure, tables: readonly string[]): readonly string[] {
  const given = Object.entries(parameters).map(([name, value]) => (value === undefined ? '' : formatElement(name, undefined, value)))
  return [...given, ...tables.filter((name) => parameters[name] === undefined).map((name) => formatElement(name, undefined, []))]
}
