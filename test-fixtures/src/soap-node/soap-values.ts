import type { AbapType, DeepType, DeepValue } from '@sallyport/rfc-wire'
import { AbapFailure } from '@sallyport/conformance/backends'
import { escapeXml, type SoapElement, toElementName } from './soap-element.ts'

/** What ABAP reads in an element. Components that are missing are initial. */
export function readSoapValue(type: DeepType, element: SoapElement | undefined): DeepValue {
  if (type.kind === 'table') return (element?.children ?? []).map((row) => readSoapValue(type.row, row))
  const parts = partsOf(type)
  if (parts !== undefined) {
    return Object.fromEntries(
      parts.map(({ name, type: inner }) => [
        name,
        readSoapValue(
          inner,
          element?.children.find((child) => child.name === toElementName(name)),
        ),
      ]),
    )
  }
  return readScalar(type as AbapType, element?.text ?? '')
}

function readScalar(type: AbapType, text: string): DeepValue {
  const bad = (): AbapFailure => new AbapFailure({ errorText: `CONVERT_NO_NUMBER: a value of type ${type.kind}` })
  switch (type.kind) {
    case 'int1':
    case 'int2':
    case 'int4':
    case 'float':
      if (text !== '' && Number.isNaN(Number(text))) throw bad()
      return Number(text)
    case 'int8':
      return BigInt(text === '' ? 0 : text)
    case 'packed':
      if (!/^-?\d*\.?\d*$/.test(text)) throw bad()
      return text === '' ? '0' : text
    case 'raw':
    case 'xstring':
      return Buffer.from(text, 'base64')
    case 'date':
      return text.replaceAll('-', '')
    case 'time':
      return text.replaceAll(':', '')
    case 'char':
      if (text.length > type.length) throw new AbapFailure({ errorText: 'a field is too short for its value' })
      return text
    default:
      return text
  }
}

/** What ABAP writes for a value, or for none. */
export function formatSoapValue(type: DeepType, value: DeepValue | undefined): string {
  if (type.kind === 'table') {
    return ((value ?? []) as readonly DeepValue[]).map((row) => `<item>${formatSoapValue(type.row, row)}</item>`).join('')
  }
  const parts = partsOf(type)
  if (parts !== undefined) {
    const given = (value ?? {}) as Readonly<Record<string, DeepValue>>
    return parts
      .map(({ name, type: inner }) => `<${toElementName(name)}>${formatSoapValue(inner, given[name])}</${toElementName(name)}>`)
      .join('')
  }
  return escapeXml(formatScalar(type as AbapType, value))
}

function formatScalar(type: AbapType, value: DeepValue | undefined): string {
  const text = typeof value === 'string' ? value : ''
  switch (type.kind) {
    case 'int1':
    case 'int2':
    case 'int4':
    case 'int8':
      return typeof value === 'number' || typeof value === 'bigint' ? String(value) : '0'
    case 'float':
      return Number(value ?? 0)
        .toExponential(16)
        .toUpperCase()
    case 'packed':
      return formatPacked(type, text || '0')
    case 'raw':
      return Buffer.concat([Buffer.isBuffer(value) ? value : Buffer.alloc(0), Buffer.alloc(type.length)])
        .subarray(0, type.length)
        .toString('base64')
    case 'xstring':
      return Buffer.isBuffer(value) ? value.toString('base64') : ''
    case 'date':
      return (text || '00000000').replace(/^(....)(..)(..)$/, '$1-$2-$3')
    case 'time':
      return (text || '000000').replace(/^(..)(..)(..)$/, '$1:$2:$3')
    case 'numc':
      return text.padStart(type.length, '0')
    default:
      return text
  }
}

/** With all decimals; a number that does not fit is a star. */
function formatPacked({ bytes, decimals }: Extract<AbapType, { kind: 'packed' }>, text: string): string {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d*)\.?(\d*)$/.exec(text) ?? []
  const digits = whole.replace(/^0+(?=\d)/, '') || '0'
  if (digits.length + decimals > bytes * 2 - 1) return '*'.repeat(bytes)
  return `${sign}${digits}${decimals === 0 ? '' : `.${fraction.padEnd(decimals, '0').slice(0, decimals)}`}`
}

function partsOf(type: DeepType): readonly { readonly name: string; readonly type: DeepType }[] | undefined {
  if (type.kind === 'components') return type.components
  return type.kind === 'structure' ? type.fields : undefined
}
