import { createSecret, type MailLogon } from '@sallyport/core'
import { array, assert, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCapabilities } from './capabilities.ts'
import { expectWhole, formatCommand } from './command-line.ts'
import { tryParseMessage, tryParseStat, tryParseUniqueId } from './listings.ts'
import { greetingTimestamp, type Mechanism, selectMechanism } from './mechanism.ts'
import { tryParseChallenge, tryParseStatus } from './status-line.ts'

describe('a status line', () => {
  it.each([
    ['+OK', { ok: true, text: '', code: '' }],
    ['+OK 2 messages', { ok: true, text: '2 messages', code: '' }],
    ['-ERR [IN-USE] locked', { ok: false, text: '[IN-USE] locked', code: 'IN-USE' }],
    ['-ERR [sys/temp] later', { ok: false, text: '[sys/temp] later', code: 'SYS/TEMP' }],
    ['-ERR', { ok: false, text: '', code: '' }],
    ['+OK [not a code] x', { ok: true, text: '[not a code] x', code: '' }],
  ])('%s is read', (line, status) => {
    expect(tryParseStatus(line)).toEqual(status)
  })
  it.each(['', '+', '+ ', '+OKAY', 'OK', '-err x', ' +OK', 'HTTP/1.1 400 Bad Request', '-ERRor'])('%j is none', (line) => {
    expect(tryParseStatus(line)).toBeUndefined()
  })
  it('is told from a challenge', () => {
    expect(['+', '+ ', '+ eyJ9', '+OK', '-ERR', ''].map((line) => tryParseChallenge(line))).toEqual([
      '',
      '',
      'eyJ9',
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('a command', () => {
  it.each(['a\r\nDELE 1', 'a\rb', 'a\nb', '\0', 'a\u007f', '\u0085'])(
    'PR-055 with %j in an argument is refused, and not shown',
    (argument) => {
      expect(() => formatCommand('USER', argument)).toThrow(
        expect.objectContaining({ code: 'MESSAGE_INVALID', message: expect.not.stringContaining('DELE') }),
      )
    },
  )
  it('PR-055 never holds a line end, whatever it is made of', () => {
    assert(
      property(array(string({ unit: 'binary' }), { maxLength: 3 }), (args) => {
        let line = ''
        try {
          line = formatCommand('X', ...args)
        } catch {
          // Refused: nothing is sent.
        }
        expect(line).not.toMatch(/[\r\n]/)
      }),
      { numRuns: 2000 },
    )
  })
  it('is as long as RFC 2449 allows, its end included', () => {
    expect(Buffer.byteLength(formatCommand('PASS', 'x'.repeat(248)))).toBe(253)
    expect(() => formatCommand('PASS', 'x'.repeat(249))).toThrow(/longer than 255/)
    expect(() => formatCommand('PASS', 'ß'.repeat(125))).toThrow(/longer than 255/)
  })
  it.each([0, -1, 1.5, Number.NaN, 2 ** 53, '1\r\nDELE 1', undefined])('has no message number %j', (number) => {
    expect(() => expectWhole(number as number, 1, 'the number of a message')).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
  })
})

describe('listings', () => {
  it('are read line by line', () => {
    expect(tryParseStat('2 320')).toEqual({ messages: 2, bytes: 320 })
    expect(tryParseStat('2 320 more that servers add')).toEqual({ messages: 2, bytes: 320 })
    expect(tryParseMessage('1 120')).toEqual({ number: 1, bytes: 120 })
    expect(tryParseUniqueId('1 whqtswO00WBw418f9t5JxYwZ~!')).toEqual({ number: 1, id: 'whqtswO00WBw418f9t5JxYwZ~!' })
  })
  it.each(['', '1', 'a b', '-1 5', '1 -5', '1 1e9', '9999999999999999999 1', '1 2x'])('%j is none', (line) => {
    expect(tryParseMessage(line)).toBeUndefined()
    expect(tryParseUniqueId(line.replace(/^1 /, 'x '))).toBeUndefined()
  })
})

describe('capabilities', () => {
  it('have names in capitals and parameters as they are', () => {
    const found = parseCapabilities(['TOP', 'sasl plain XOAUTH2', 'SASL APOP', 'IMPLEMENTATION Dovecot ready.', '', 'EXPIRE 60'])
    expect([...found]).toEqual([
      ['TOP', []],
      ['SASL', ['plain', 'XOAUTH2', 'APOP']],
      ['IMPLEMENTATION', ['Dovecot', 'ready.']],
      ['EXPIRE', ['60']],
    ])
  })
})

describe('the way to log on', () => {
  const password: MailLogon = { kind: 'password', user: 'jane', password: createSecret('p') }
  const token: MailLogon = { kind: 'token', user: 'jane', token: createSecret('t'), expiresAtMs: undefined }
  it.each<
    readonly [string, MailLogon & { kind: 'password' | 'token' }, readonly string[] | undefined, readonly string[], Mechanism | undefined]
  >([
    ['PLAIN before USER', password, ['USER', 'SASL PLAIN LOGIN'], [], 'PLAIN'],
    ['USER where SASL offers nothing that fits', password, ['USER', 'SASL CRAM-MD5'], [], 'USER'],
    ['USER where the server does not know CAPA', password, undefined, [], 'USER'],
    ['nothing where the server wants neither', password, ['STLS', 'SASL'], [], undefined],
    ['USER where the destination says so', password, ['USER', 'SASL PLAIN'], ['LOGIN', 'PLAIN'], 'USER'],
    ['APOP on request', password, ['USER', 'SASL PLAIN'], ['APOP'], 'APOP'],
    ['nothing that the destination does not name', password, ['USER', 'SASL PLAIN'], ['NTLM', 'XOAUTH2'], undefined],
    ['XOAUTH2 with a token', token, ['USER', 'SASL PLAIN XOAUTH2'], [], 'XOAUTH2'],
    ['XOAUTH2 with a token where the server does not know CAPA', token, undefined, [], 'XOAUTH2'],
    ['nothing where a token is not taken', token, ['USER', 'SASL PLAIN'], [], undefined],
  ])('PR-054 is %s', (_what, logon, offered, preferred, expected) => {
    const capabilities = offered === undefined ? undefined : parseCapabilities(offered)
    expect(selectMechanism(logon, preferred, { capabilities, timestamp: '<1.2@host>' })).toBe(expected)
  })
  it('is APOP only with a timestamp in the greeting', () => {
    expect(greetingTimestamp('POP3 server ready <1896.697170952@dbc.mtview.ca.us> hello')).toBe('<1896.697170952@dbc.mtview.ca.us>')
    expect(greetingTimestamp('Dovecot ready.')).toBeUndefined()
    expect(
      selectMechanism(password as MailLogon & { kind: 'password' }, ['APOP'], { capabilities: undefined, timestamp: undefined }),
    ).toBeUndefined()
  })
})
