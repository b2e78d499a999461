import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type Credentials, type MailDestination, parseDestination } from './destination.ts'
import { ConnectivityError } from './errors.ts'
import { formatXoauth2, type MailLogon, mailLogonOf } from './mail-logon.ts'
import { createMailLogons } from './mail-logon-renewal.ts'
import { createSecret } from './secret.ts'

const destination = (properties: Readonly<Record<string, string>> = {}): MailDestination =>
  parseDestination({
    Name: 'POST',
    Type: 'MAIL',
    'mail.smtp.host': 'relay',
    Authentication: 'OAuth2ClientCredentials',
    'mail.user': 'robot@acme.test',
    ...properties,
  }) as MailDestination
const bearer = (token: string, expiresAtMs?: number): Credentials => ({
  kind: 'header',
  name: 'Authorization',
  value: createSecret(`Bearer ${token}`),
  ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
})
const basic = { kind: 'basic', user: 'robot', password: createSecret('p4ss') } as const

describe('the XOAUTH2 response', () => {
  it('PR-035 has the fields and the two ends that the mechanism asks for, byte by byte', () => {
    expect(formatXoauth2('robot@acme.test', createSecret('header.claims.mark')).reveal()).toBe(
      'dXNlcj1yb2JvdEBhY21lLnRlc3QBYXV0aD1CZWFyZXIgaGVhZGVyLmNsYWltcy5tYXJrAQE=',
    )
    const bytes = Buffer.from(formatXoauth2('jane.größe@acme.test', createSecret('t.o-k')).reveal(), 'base64')
    expect(bytes).toEqual(
      Buffer.concat([Buffer.from('user=jane.größe@acme.test'), Buffer.of(1), Buffer.from('auth=Bearer t.o-k'), Buffer.of(1, 1)]),
    )
  })

  it.each([
    ['a\u0001auth=Bearer x', 't'],
    ['a', 't\r\n'],
  ])('is not made of %j and %j, and the error does not show them', (user, token) => {
    expect(() => formatXoauth2(user, createSecret(token))).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
    expect(inspect(formatXoauth2('a', createSecret('t')))).toBe('[redacted]')
  })
})

describe('how a mail client logs on', () => {
  it('follows credentials and destination', () => {
    expect(mailLogonOf(destination(), bearer('t1', 5))).toMatchObject({ kind: 'token', user: 'robot@acme.test', expiresAtMs: 5 })
    expect(mailLogonOf(destination({ Authentication: 'BasicAuthentication' }), basic)).toMatchObject({ kind: 'password', user: 'robot' })
    expect(mailLogonOf(destination({ Authentication: 'NoAuthentication' }), { kind: 'none' })).toEqual({ kind: 'none' })
    for (const credentials of [basic, bearer('t'), { kind: 'none' } as const])
      expect(mailLogonOf(destination({ 'mail.smtp.auth': 'false' }), credentials)).toEqual({ kind: 'none' })
  })

  it.each([
    ['no token at hand', {}, { kind: 'none' }],
    ['no user for the token', { 'mail.user': '' }, bearer('t')],
    ['a header of another scheme', {}, { kind: 'header', name: 'Authorization', value: createSecret('SAML2.0 x') }],
    ['a principal', {}, { kind: 'principal' }],
    ['no user', {}, { ...basic, user: '' }],
  ] as const)('does not go on as nobody with %s', (_what, properties, credentials) => {
    expect(() => mailLogonOf(destination(properties), credentials)).toThrow(expect.objectContaining({ code: 'DESTINATION_INVALID' }))
  })
})

describe('a refused token', () => {
  const refused = new ConnectivityError('LOGON_REFUSED', 'refused')
  const signal = new AbortController().signal
  const play = (accepted: readonly string[], options: { readonly credentials?: Credentials; readonly nowMs?: number } = {}) => {
    let fetched = 0
    const presented: string[] = []
    const logons = createMailLogons({
      destination: destination(),
      credentials: options.credentials ?? bearer('t0'),
      renew: async () => bearer(`t${++fetched}`),
      clock: { now: () => options.nowMs ?? 0, elapsed: () => 0, after: () => () => {} },
    })
    const connect = async (logon: MailLogon): Promise<string> => {
      const token = logon.kind === 'token' ? logon.token.reveal() : logon.kind
      presented.push(token)
      if (!accepted.includes(token)) throw refused
      return token
    }
    return { presented, fetched: () => fetched, connect: () => logons.connect(connect, signal) }
  }

  it('is fetched anew once, and presented once more', async () => {
    const good = play(['t1'])
    expect(await good.connect()).toBe('t1')
    expect(await good.connect()).toBe('t1')
    expect(good.presented).toEqual(['t0', 't1', 't1'])
    const never = play([])
    await expect(never.connect()).rejects.toBe(refused)
    expect(never.presented).toEqual(['t0', 't1'])
    expect(never.fetched()).toBe(1)
  })

  it('is fetched once for connections that are refused together', async () => {
    const shared = play(['t1'])
    expect(await Promise.all([shared.connect(), shared.connect(), shared.connect()])).toEqual(['t1', 't1', 't1'])
    expect(shared.fetched()).toBe(1)
  })

  it('is not even presented when it has expired, and a fresh one that is refused is the end', async () => {
    const expired = play([], { credentials: bearer('t0', 1000), nowMs: 1000 })
    await expect(expired.connect()).rejects.toBe(refused)
    expect(expired.presented).toEqual(['t1'])
  })

  it('is left alone when the failure is another one, or a password', async () => {
    const broken = createMailLogons({
      destination: destination(),
      credentials: bearer('t0'),
      renew: () => expect.unreachable('nobody asked for a new token'),
      clock: { now: () => 0, elapsed: () => 0, after: () => () => {} },
    })
    await expect(broken.connect(() => Promise.reject(new Error('other')), signal)).rejects.toThrow('other')
    const password = createMailLogons({
      destination: destination({ Authentication: 'BasicAuthentication' }),
      credentials: basic,
      renew: () => expect.unreachable('a password is not renewed'),
      clock: { now: () => 0, elapsed: () => 0, after: () => () => {} },
    })
    await expect(password.connect(() => Promise.reject(refused), signal)).rejects.toBe(refused)
  })
})
