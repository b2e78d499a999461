import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPropertiesFile, parsePropertiesFile } from './properties-file.ts'
import { removedSecretText } from './removed-secret.ts'

const nowMs = Date.UTC(2026, 0, 7, 10, 15, 30)

describe('writing a .properties file', () => {
  it('puts removed secrets and the time into comments and escapes as Java does', () => {
    const entries = Object.entries({ Type: 'HTTP', Name: 'orders-api', URL: 'https://orders.example.com', Note: ' #1! ä=\t\u{1f600}\\' })
    expect(formatPropertiesFile(entries, { removed: ['clientSecret'], nowMs })).toBe(
      [
        '#clientSecret=<< Existing password/certificate removed on export >>',
        '#',
        '#Wed Jan 07 10:15:30 UTC 2026',
        'Type=HTTP',
        'Name=orders-api',
        String.raw`URL=https\://orders.example.com`,
        String.raw`Note=\ \#1\! \u00E4\=\t\uD83D\uDE00\\`,
        '',
      ].join('\n'),
    )
  })

  it('cannot be made to write another line by what names and values contain', () => {
    const text = formatPropertiesFile([['a b\n#x=', '\r\nType=RFC']], { removed: ['p\nType=RFC'], nowMs })
    expect(text.split('\n')).toHaveLength(5)
    expect(parsePropertiesFile(text)).toEqual({ properties: { 'a b\n#x=': '\r\nType=RFC' }, removed: ['p\nType=RFC'] })
  })

  it('reads back what it writes, whatever it is', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => text !== '__proto__')
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.string({ unit: 'binary', maxLength: 30 })),
        fc.uniqueArray(name, { maxLength: 3 }),
        (given, names) => {
          const removed = names.filter((one) => !Object.hasOwn(given, one))
          const text = formatPropertiesFile(Object.entries(given), { removed, nowMs })
          const read = parsePropertiesFile(text)
          expect(text).toMatch(/^[\x20-\x7e\n]*$/)
          expect(new Map(Object.entries(read.properties))).toEqual(new Map(Object.entries(given)))
          expect(read.removed).toEqual(removed)
        },
      ),
    )
  })
})

describe('reading a .properties file', () => {
  it.each([
    ['unescaped values', 'URL=https://a.example/x?y=z#f!', { URL: 'https://a.example/x?y=z#f!' }],
    ['escaped values', String.raw`URL=https\://a.example/x?y\=z\#f\!`, { URL: 'https://a.example/x?y=z#f!' }],
    ['CRLF, CR and blank lines', 'a=1\r\n\r\nb=2\rc=3\n   \n', { a: '1', b: '2', c: '3' }],
    ['both comment characters, also indented', '# x=1\n  ! y=2\na=1', { a: '1' }],
    ['all separators and the blanks around them', 'a = 1\nb:2\nc\t3\n  d   =   4 ', { a: '1', b: '2', c: '3', d: '4 ' }],
    ['a key without value', 'a\nb=\n', { a: '', b: '' }],
    ['escapes in keys', String.raw`a\ b\=c=1`, { 'a b=c': '1' }],
    ['Unicode escapes', String.raw`a=\u00e4\u20AC\uD83D\uDE00`, { a: 'ä€😀' }],
    ['a \\u that is no escape', String.raw`a=C:\users`, { a: 'C:\\users' }],
    ['continued lines', 'a=1,\\\n   2,\\\r\n\t3\nb=4\\\\\nc=5', { a: '1,2,3', b: '4\\', c: '5' }],
    ['a comment character in a continued line', 'a=1\\\n#2', { a: '1#2' }],
    ['a continued line at the end', 'a=1\\', { a: '1' }],
    ['the last of equal keys', 'a=1\na=2', { a: '2' }],
    ['names of built-in members', 'constructor=1\ntoString=2', { constructor: '1', toString: '2' }],
  ])('takes %s', (_what, text, properties) => {
    expect(parsePropertiesFile(text)).toEqual({ properties, removed: [] })
  })

  it.each(['\\', ' ', '=', '#', '\\\n', 'a=1\n', '\\u'])('takes a file full of %j in good time', (piece) => {
    const startedMs = process.cpuUsage().user / 1000
    parsePropertiesFile(`${piece.repeat(Math.floor(1_000_000 / piece.length))}x`)
    expect(process.cpuUsage().user / 1000 - startedMs).toBeLessThan(2_000)
  })

  it('takes the marker for a missing secret, in a comment and as a value', () => {
    const text = `#clientSecret=${removedSecretText}\n#\nPassword=${removedSecretText}\nUser=u\n#User=${removedSecretText}\n`
    expect(parsePropertiesFile(text)).toEqual({ properties: { User: 'u' }, removed: ['clientSecret', 'Password'] })
  })
})
