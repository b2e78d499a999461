import { ConnectivityError, createSecret, type MailDestination, type MailLogon, parseDestination } from '@sallyport/core'
import { ImapFlow } from 'imapflow'
import { ImapFlow as OlderImapFlow } from 'imapflow-2.1'
import { describe, expect, it } from 'vitest'
import { mayBeGreeting } from './expect-greeting.ts'
import { imapError } from './imap-errors.ts'
import { takesTransport } from './library-way.ts'
import { logonOptions } from './logon-options.ts'

describe('the first line of a server', () => {
  it.each(['', '*', '* ', '* O', '* OK', '* ok ready', '* PREAUTH x', '* BYE too many', '* OK [CAPABILITY IMAP4rev1] hello\r\n'])(
    '%j is a greeting, or may become one',
    (text) => {
      expect(mayBeGreeting(Buffer.from(text))).toBe(true)
    },
  )
  it.each(['+OK ready', '220 mail ESMTP', 'HTTP/1.1 400', '* NO', '* BAD x', 'a OK', '\u0015\u0003\u0003', ' * OK'])(
    '%j is none',
    (text) => {
      expect(mayBeGreeting(Buffer.from(text))).toBe(false)
    },
  )
})

describe('the way to a library', () => {
  it('is its option transport from 2.5 on', () => {
    const versions = ['2.1.2', '2.4.9', '2.5.0', '2.10.2', '3.0.0', '1.9.0']
    expect(versions.map((version) => takesTransport({ version }))).toEqual([false, false, true, true, true, false])
    expect([takesTransport(ImapFlow), takesTransport(OlderImapFlow)]).toEqual([true, false])
  })
})

describe('what the library logs on with', () => {
  const destination = (mechanisms = ''): MailDestination =>
    parseDestination({ Name: 'A', Type: 'MAIL', 'mail.imap4.host': 'h', 'mail.imap4.auth.mechanisms': mechanisms }) as MailDestination
  const password = (secret = 'p'): MailLogon => ({ kind: 'password', user: 'jane', password: createSecret(secret) })
  const token: MailLogon = { kind: 'token', user: 'jane', token: createSecret('t'), expiresAtMs: undefined }

  it('follows the logon and the mechanisms of the destination', () => {
    expect(logonOptions(destination(), { kind: 'none' })).toEqual({})
    expect(logonOptions(destination(), password())).toEqual({ auth: { user: 'jane', pass: 'p' } })
    expect(logonOptions(destination('NTLM LOGIN PLAIN'), password())).toEqual({
      auth: { user: 'jane', pass: 'p', loginMethod: 'AUTH=LOGIN' },
    })
    expect(logonOptions(destination('PLAIN'), password())).toEqual({ auth: { user: 'jane', pass: 'p', loginMethod: 'AUTH=PLAIN' } })
    expect(logonOptions(destination('PLAIN XOAUTH2'), token)).toEqual({ auth: { user: 'jane', accessToken: 't' } })
  })
  it.each([
    ['a mechanism that does not fit', 'XOAUTH2', password()],
    ['a mechanism that does not fit a token', 'PLAIN', token],
    ['an empty password', '', password('')],
    ['a line end in the password', '', password('p\r\na LOGOUT')],
    ['a field of its own in the token', '', { ...token, token: createSecret('t\u0001host=x') }],
  ])('is nothing with %s', (_what, mechanisms, logon) => {
    expect(() => logonOptions(destination(mechanisms), logon)).toThrow(expect.objectContaining({ code: 'DESTINATION_INVALID' }))
  })
})

describe('errors of the library', () => {
  const because = (fields: object, more: object = {}): unknown =>
    imapError(Object.assign(new Error('Command failed'), fields), { attempt: 'read', ...more })
  it.each([
    [{ responseStatus: 'NO', responseText: 'no' }, {}, 'OPERATION_REFUSED'],
    [{ responseStatus: 'BAD', responseText: 'what' }, {}, 'OPERATION_REFUSED'],
    [{ responseStatus: 'NO', serverResponseCode: 'NOPERM' }, {}, 'OPERATION_FORBIDDEN'],
    [{ responseStatus: 'NO', mailboxMissing: true }, {}, 'NOT_FOUND'],
    [{ responseStatus: 'NO', authenticationFailed: true }, { loggingOn: true }, 'LOGON_REFUSED'],
    [{ responseStatus: 'NO', authenticationFailed: true, serverResponseCode: 'UNAVAILABLE' }, { loggingOn: true }, 'SERVICE_UNAVAILABLE'],
    [{ code: 'NoConnection', authenticationFailed: true }, { loggingOn: true }, 'BACKEND_UNREACHABLE'],
    [{ code: 'NoConnection', reason: 'overloaded' }, {}, 'SERVICE_UNAVAILABLE'],
    [{ code: 'ETIMEOUT' }, {}, 'BACKEND_TIMEOUT'],
    [{ code: 'ETHROTTLE', responseStatus: undefined }, {}, 'SERVICE_UNAVAILABLE'],
    [{ code: 'ParserError11' }, {}, 'PROTOCOL_VIOLATION'],
    [{ code: 'LiteralTooLarge' }, {}, 'PROTOCOL_VIOLATION'],
    [{ tlsFailed: true }, {}, 'BACKEND_UNTRUSTED'],
    [{ tlsFailed: true, code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, {}, 'BACKEND_UNTRUSTED'],
    [{ tlsFailed: true, code: 'STARTTLS_INJECTION' }, {}, 'PROTOCOL_VIOLATION'],
    [{}, { loggingOn: true }, 'LOGON_REFUSED'],
  ])('%j is told by code', (fields, more, code) => {
    expect(because(fields, more)).toMatchObject({ code })
  })
  it('PR-013 have as cause why the connection broke', () => {
    const failure = new ConnectivityError('TUNNEL_LOST', 'gone')
    expect(because({ code: 'NoConnection' }, { failure })).toMatchObject({ code: 'TUNNEL_LOST', cause: failure })
  })
  it('that are none of its own come back as they are', () => {
    const own = new TypeError('a mistake in the application')
    expect(imapError(own, { attempt: 'read' })).toBe(own)
  })
})
