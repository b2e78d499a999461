import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import '../../../../tooling/generated-inputs.ts'
import { decodeXml } from './soap-encoding.ts'
import { readSoapFunction } from './soap-function.ts'

const functions = 'urn:sap-com:document:sap:rfc:functions'
const soap = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
const envelope = (body: string, header = ''): string =>
  `<s:Envelope ${soap} xmlns:urn="${functions}">${header}<s:Body>${body}</s:Body></s:Envelope>`
const call = (name: string): string => `<urn:${name}><P>1</P></urn:${name}>`

describe('the function that a SOAP request calls', () => {
  it.each<[string, string, string]>([
    ['the usual form', envelope(call('STFC_CONNECTION')), 'STFC_CONNECTION'],
    ['with a declaration', `<?xml version="1.0" encoding="utf-8"?>\n${envelope(call('Z'))}`, 'Z'],
    ['with an empty header', envelope(call('Z'), '<s:Header/>'), 'Z'],
    ['with a full header', envelope(call('Z'), '<s:Header><urn:EVIL a="x>y">text &lt; <![CDATA[<s:Body>]]></urn:EVIL></s:Header>\n'), 'Z'],
    ['with comments', envelope(`<!-- <urn:EVIL> -->${call('Z')}`), 'Z'],
    ['with the default namespace', envelope(`<Z xmlns="${functions}"/>`), 'Z'],
    ['with a prefix of its own, in single quotes', envelope(`<f:Z xmlns:f='${functions}'/>`), 'Z'],
    ['with a prefix that is declared anew', envelope('<urn:Z xmlns:urn="urn:other"/>').replace('urn:other', functions), 'Z'],
    ['with a namespace of ABAP', envelope(call('_-ABC_-X')), '/ABC/X'],
  ])('is read %s', (_title, text, functionName) => {
    expect(readSoapFunction(text, true)).toEqual({ functionName })
    for (let length = 0; length < text.length; length += 1) {
      const partial = readSoapFunction(text.slice(0, length), false)
      expect(partial === 'more' || 'functionName' in partial, text.slice(0, length)).toBe(true)
    }
  })

  it.each<[string, string]>([
    ['a document type', `<!DOCTYPE s:Envelope [<!ENTITY x "y">]>${envelope(call('Z'))}`],
    ['a document type behind the declaration', `<?xml version="1.0"?><!DOCTYPE x>${envelope(call('Z'))}`],
    ['a processing instruction', `<?php x?>${envelope(call('Z'))}`],
    ['a processing instruction in the body', envelope(`<?x?>${call('Z')}`)],
    ['XML 1.1', `<?xml version="1.1"?>${envelope(call('Z'))}`],
    ['text in front of the function', envelope(`x${call('Z')}`)],
    ['text in front of the envelope', `x${envelope(call('Z'))}`],
    ['CDATA in front of the function', envelope(`<![CDATA[x]]>${call('Z')}`)],
    ['an element that is no function', envelope('<P/>')],
    ['a function of another namespace', envelope(call('Z')).replace(functions, 'urn:other')],
    ['a prefix that is redeclared', envelope(`<urn:Z xmlns:urn="urn:other"/>`)],
    ['a namespace with references', envelope(call('Z')).replace('urn:sap', '&#117;rn:sap')],
    ['a namespace that is declared twice', envelope(call('Z')).replace('xmlns:urn', `xmlns:urn="${functions}" xmlns:urn`)],
    ['another envelope', envelope(call('Z')).replaceAll('schemas.xmlsoap.org/soap/envelope', 'www.w3.org/2003/05/soap-envelope')],
    ['something else beside the body', envelope(call('Z'), '<urn:Z/>')],
    ['an empty body', envelope('')],
    ['a body without end tag', `<s:Envelope ${soap}><s:Body/></s:Envelope>`],
    ['no XML', 'hello'],
    ['nothing', ''],
    ['a function cut off', envelope(call('Z')).split('Z')[0] ?? ''],
    ['too many levels', envelope(call('Z'), `<s:Header>${'<a>'.repeat(70)}${'</a>'.repeat(70)}</s:Header>`)],
    ['a name outside ASCII', envelope(call('É'))],
    ['elements that are closed in another order', envelope(call('Z'), '<s:Header><a></b></s:Header>')],
  ])('is refused with %s', (_title, text) => {
    expect(readSoapFunction(text, true)).toEqual({ refused: expect.any(String) })
  })

  it('never changes when more arrives', () => {
    const pieces = [
      '<s:Header/>',
      '<!-- -->',
      call('A'),
      call('B'),
      '<',
      '>',
      '"',
      ' ',
      '<![CDATA[',
      ']]>',
      '<?x?>',
      '</s:Body>',
      '<s:Body>',
      'x',
      '&',
    ]
    const document = fc
      .array(fc.constantFrom(...pieces), { maxLength: 8 })
      .map((parts) => `<s:Envelope ${soap} xmlns:urn="${functions}"><s:Body>${parts.join('')}`)
    const keeps = fc.property(document, (text) => {
      const whole = readSoapFunction(text, true)
      return Array.from({ length: text.length }, (_, length) => readSoapFunction(text.slice(0, length), false)).every(
        (partial) => typeof partial !== 'object' || !('functionName' in partial) || isDeepStrictEqual(partial, whole),
      )
    })
    expect(fc.check(keeps, { numRuns: 500 })).toMatchObject({ failed: false })
  })
})

describe('its encoding', () => {
  const text = '<?xml version="1.0"?><ä/>'
  const declared = (encoding: string): string => `<?xml version="1.0" encoding="${encoding}"?><ä/>`
  const utf16be = (value: string): Buffer => Buffer.from(value, 'utf16le').swap16()

  it.each<[string, Buffer, string]>([
    ['UTF-8 by default', Buffer.from(text), 'text/xml'],
    ['UTF-8 by its content type', Buffer.from(text), 'text/xml; charset="UTF-8"'],
    ['UTF-8 by its mark', Buffer.from(`\uFEFF${declared('utf-8')}`), 'text/xml'],
    ['Latin 1 by its declaration', Buffer.from(declared('ISO-8859-1'), 'latin1'), 'text/xml'],
    ['Latin 1 by its content type', Buffer.from(text, 'latin1'), 'text/xml;charset=iso-8859-1'],
    ['UTF-16 by its mark', Buffer.from(`\uFEFF${declared('utf-16')}`, 'utf16le'), 'text/xml; charset=utf-16'],
    ['UTF-16 the other way round', utf16be(`\uFEFF${declared('UTF-16')}`), 'text/xml'],
  ])('is %s', (_title, bytes, contentType) => {
    expect(decodeXml(bytes, contentType, true)).toEqual({ text: expect.stringContaining('<ä/>') })
    expect('text' in decodeXml(bytes.subarray(0, -3), contentType, false)).toBe(true)
  })

  it.each<[string, Buffer, string]>([
    ['UTF-7', Buffer.from(declared('utf-7')), 'text/xml'],
    ['UTF-16 without a mark', Buffer.from(declared('utf-16'), 'utf16le'), 'text/xml; charset=utf-16'],
    ['one that the content type contradicts', Buffer.from(declared('iso-8859-1'), 'latin1'), 'text/xml; charset=utf-8'],
    ['one that the mark contradicts', Buffer.from(`\uFEFF${declared('iso-8859-1')}`), 'text/xml'],
    ['EBCDIC', Buffer.from(text), 'text/xml; charset=ibm037'],
    ['no text in UTF-8', Buffer.from(text, 'latin1'), 'text/xml'],
  ])('is refused when it is %s', (_title, bytes, contentType) => {
    expect(decodeXml(bytes, contentType, true)).toEqual({ refused: expect.any(String) })
  })
})
