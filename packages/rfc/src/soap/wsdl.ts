import type { DeepType } from '@sallyport/rfc-wire'
import type { FunctionDescription, FunctionParameter } from '../function-description.ts'
import { dictionaryName, elementName } from './soap-value.ts'
import { readType, type SchemaTypes } from './xsd-type.ts'
import { childOf, type XmlElement, XmlError } from './xml-tree.ts'

const wsdlNamespace = 'http://schemas.xmlsoap.org/wsdl/'

interface Declared {
  readonly name: string
  readonly type: DeepType
  readonly isOptional: boolean
}

/**
 * Reads the interface of a function module from its WSDL (protocols.md 13.5). A parameter that goes both ways is a table where it is a list, and changing otherwise.
 *
 * @returns `undefined` for a WSDL of something else.
 * @throws XmlError for a document that is no WSDL.
 */
export function readWsdl(document: XmlElement, functionName: string): FunctionDescription | undefined {
  if (document.name !== 'definitions' || document.namespace !== wsdlNamespace) throw new XmlError('it is no WSDL')
  const schemas = childOf(document, 'types')?.children.filter((child) => child.name === 'schema') ?? []
  const declared = schemas.flatMap((schema) => schema.children)
  const operation = elementName(functionName)
  const request = declared.find((each) => each.name === 'element' && each.attributes['name'] === operation)
  const response = declared.find((each) => each.name === 'element' && answerNames(operation).includes(each.attributes['name'] ?? ''))
  if (request === undefined || response === undefined) return undefined
  const types: SchemaTypes = {
    declared: new Map(
      declared.flatMap((each) =>
        each.name === 'element' || each.attributes['name'] === undefined ? [] : [[each.attributes['name'], each]],
      ),
    ),
    known: new Map(),
  }
  const inputs = parametersOf(request, types)
  const outputs = parametersOf(response, types)
  return { name: functionName, parameters: mergeParameters(inputs, outputs), exceptions: exceptionsOf(declared, operation) }
}

function answerNames(operation: string): readonly string[] {
  return [`${operation}.Response`, `${operation}Response`]
}

function parametersOf(element: XmlElement, types: SchemaTypes): readonly Declared[] {
  const group = childOf(element, 'complexType')
  const list = childOf(group, 'all') ?? childOf(group, 'sequence')
  return (list?.children ?? [])
    .filter((child) => child.name === 'element')
    .map((child) => ({
      name: dictionaryName(child.attributes['name'] ?? ''),
      type: readType(child, types),
      isOptional: child.attributes['minOccurs'] === '0',
    }))
}

function mergeParameters(inputs: readonly Declared[], outputs: readonly Declared[]): readonly FunctionParameter[] {
  const isOutput = new Set(outputs.map(({ name }) => name))
  const isInput = new Set(inputs.map(({ name }) => name))
  return [
    ...inputs.map(({ name, type, isOptional }): FunctionParameter => {
      const direction = !isOutput.has(name) ? 'importing' : type.kind === 'table' ? 'tables' : 'changing'
      return { name, direction, type, isOptional }
    }),
    ...outputs
      .filter(({ name }) => !isInput.has(name))
      .map(({ name, type }): FunctionParameter => ({ name, direction: 'exporting', type, isOptional: true })),
  ]
}

/** Where the schema declares what a fault may be called. */
function exceptionsOf(declared: readonly XmlElement[], operation: string): readonly string[] {
  const names = declared.find((each) => each.name === 'simpleType' && each.attributes['name'] === `${operation}.RfcExceptions`)
  return (childOf(names, 'restriction')?.children ?? []).flatMap((each) =>
    each.name === 'enumeration' && each.attributes['value'] !== undefined ? [each.attributes['value']] : [],
  )
}
