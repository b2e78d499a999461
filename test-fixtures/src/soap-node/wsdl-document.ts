import { type AbapFunction, type AbapParameter, type Dictionary, type DictionaryType, entryOf } from '@sallyport/conformance/backends'
import { escapeXml, toElementName } from './soap-element.ts'

const functions = 'urn:sap-com:document:sap:rfc:functions'

/** The WSDL of one function module, as `/sap/bc/soap/wsdl` serves it (protocols.md 13.5). `url` is where calls go. */
export function formatWsdl({ name, parameters }: AbapFunction, dictionary: Dictionary, url: string): string {
  const element = toElementName(name)
  const used = new Map<string, string>()
  const inputs = parameters.filter(({ direction }) => direction !== 'export')
  const outputs = parameters.filter(({ direction }) => direction !== 'import')
  const listed = (each: readonly AbapParameter[]): string => each.map((parameter) => parameterElement(parameter, dictionary, used)).join('')
  const request = `<xsd:element name="${element}"><xsd:complexType><xsd:all>${listed(inputs)}</xsd:all></xsd:complexType></xsd:element>`
  const response = `<xsd:element name="${element}.Response"><xsd:complexType><xsd:all>${listed(outputs)}</xsd:all></xsd:complexType></xsd:element>`
  return `<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions targetNamespace="${functions}" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:s0="${functions}">
<wsdl:types><xsd:schema targetNamespace="${functions}" elementFormDefault="unqualified">${moments}${[...used.values()].join('')}${request}${response}</xsd:schema></wsdl:types>
<wsdl:message name="${element}Input"><wsdl:part name="parameters" element="s0:${element}"/></wsdl:message>
<wsdl:message name="${element}Output"><wsdl:part name="parameters" element="s0:${element}.Response"/></wsdl:message>
<wsdl:portType name="${element}PortType"><wsdl:operation name="${element}"><wsdl:input message="s0:${element}Input"/><wsdl:output message="s0:${element}Output"/></wsdl:operation></wsdl:portType>
<wsdl:binding name="${element}Binding" type="s0:${element}PortType"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/><wsdl:operation name="${element}"><soap:operation soapAction="http://www.sap.com/${element}" style="document"/><wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation></wsdl:binding>
<wsdl:service name="${element}Service"><wsdl:port name="${element}PortType" binding="s0:${element}Binding"><soap:address location="${escapeXml(url)}"/></wsdl:port></wsdl:service>
</wsdl:definitions>`
}

const moments = [
  ['date', 10, '\\d\\d\\d\\d-\\d\\d-\\d\\d'],
  ['time', 8, '\\d\\d:\\d\\d:\\d\\d'],
]
  .map(([name, length, pattern]) =>
    restriction('string', `<xsd:maxLength value="${length}"/><xsd:pattern value="${pattern}"/>`, ` name="${name}"`),
  )
  .join('')

function parameterElement({ name, direction, type, optional }: AbapParameter, dictionary: Dictionary, used: Map<string, string>): string {
  // Tables are mandatory here: one that is left out of a request is left out of the answer.
  const occurs = optional === true && direction !== 'tables' ? ' minOccurs="0"' : ''
  return direction === 'tables' ? table(name, occurs, type, dictionary, used) : typed(name, occurs, type, dictionary, used)
}

function typed(name: string, occurs: string, type: DictionaryType, dictionary: Dictionary, used: Map<string, string>): string {
  const element = toElementName(name)
  if (type.kind !== 'named') {
    const simple = simpleType(type)
    return simple.startsWith('<')
      ? `<xsd:element name="${element}"${occurs}>${simple}</xsd:element>`
      : `<xsd:element name="${element}" type="${simple}"${occurs}/>`
  }
  const entry = entryOf(dictionary, type.name)
  if ('line' in entry) return table(name, occurs, entry.line, dictionary, used)
  if (!used.has(type.name)) {
    used.set(type.name, '')
    const fields = entry.fields.map((field) => typed(field.name, '', field.type, dictionary, used)).join('')
    used.set(type.name, `<xsd:complexType name="${toElementName(type.name)}"><xsd:sequence>${fields}</xsd:sequence></xsd:complexType>`)
  }
  return `<xsd:element name="${element}" type="s0:${toElementName(type.name)}"${occurs}/>`
}

function table(name: string, occurs: string, row: DictionaryType, dictionary: Dictionary, used: Map<string, string>): string {
  const item = typed('item', ' minOccurs="0" maxOccurs="unbounded"', row, dictionary, used)
  return `<xsd:element name="${toElementName(name)}"${occurs}><xsd:complexType><xsd:sequence>${item}</xsd:sequence></xsd:complexType></xsd:element>`
}

/** The name of a type, or one without a name. */
function simpleType(type: Exclude<DictionaryType, { kind: 'named' }>): string {
  switch (type.kind) {
    case 'char':
      return restriction('string', `<xsd:maxLength value="${type.length}"/>`)
    case 'numc':
      return restriction('string', `<xsd:maxLength value="${type.length}"/><xsd:pattern value="\\d*"/>`)
    case 'raw':
      return restriction('base64Binary', `<xsd:maxLength value="${type.length}"/>`)
    case 'packed':
      return restriction('decimal', `<xsd:totalDigits value="${type.bytes * 2 - 1}"/><xsd:fractionDigits value="${type.decimals}"/>`)
    default:
      return names[type.kind]
  }
}

const names = {
  date: 's0:date',
  time: 's0:time',
  int1: 'xsd:unsignedByte',
  int2: 'xsd:short',
  int4: 'xsd:int',
  int8: 'xsd:long',
  float: 'xsd:double',
  string: 'xsd:string',
  xstring: 'xsd:base64Binary',
  decfloat16: 'xsd:decimal',
  decfloat34: 'xsd:decimal',
  utclong: 'xsd:string',
} as const

function restriction(base: string, facets: string, name = ''): string {
  return `<xsd:simpleType${name}><xsd:restriction base="xsd:${base}">${facets}</xsd:restriction></xsd:simpleType>`
}
