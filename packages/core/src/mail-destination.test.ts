import { describe, expect, it } from 'vitest'
import { credentialsOf, type MailDestination, parseDestination } from './destination.ts'

const parse = (properties: Readonly<Record<string, string>>): MailDestination =>
  parseDestination({ Name: 'POST', Type: 'MAIL', ProxyType: 'OnPremise', ...properties }) as MailDestination
const smtp = { 'mail.smtp.host': 'Relay.virtual' }

describe('a MAIL destination', () => {
  it.each([
    ['smtp', 'smtp', 'mail.smtp', 587, 'none'],
    ['smtps', 'smtp', 'mail.smtps', 465, 'implicit'],
    ['imap4', 'imap', 'mail.imap4', 143, 'none'],
    ['imap', 'imap', 'mail.imap4', 143, 'none'],
    ['IMAP', 'imap', 'mail.imap', 143, 'none'],
    ['imap4s', 'imap', 'mail.imaps', 993, 'implicit'],
    ['imaps', 'imap', 'mail.imap4s', 993, 'implicit'],
    ['pop3', 'pop3', 'mail.pop3', 110, 'none'],
    ['pop3s', 'pop3', 'mail.pop3s', 995, 'implicit'],
  ])('PR-032 PR-034 with protocol %s speaks %s to the host of %s, at port %i without another', (named, protocol, prefix, port, tls) => {
    const properties = { 'mail.transport.protocol': named, [`${prefix}.host`]: 'Mail.virtual' }
    expect(parse(properties)).toMatchObject({ protocol, address: { host: 'Mail.virtual', port }, tls })
    expect(parse({ ...properties, [`${prefix}.port`]: '2525' })).toMatchObject({ address: { port: 2525 }, tls })
  })

  it('takes the protocol from the only host; the other name of IMAP is no second host', () => {
    expect(parse({ 'mail.imap4s.host': 'a' })).toMatchObject({ protocol: 'imap', tls: 'implicit' })
    expect(parse({ 'mail.imap4.host': 'a', 'mail.imap.host': 'a' })).toMatchObject({ protocol: 'imap', address: { port: 143 } })
    expect(parse({ 'mail.pop3.host': '2001:db8::7' })).toMatchObject({ address: { host: '2001:db8::7', port: 110 } })
  })

  it('PR-033 with two hosts and no protocol is refused, with both names', () => {
    const both = { ...smtp, 'mail.imap4.host': 'mailbox' }
    expect(() => parse(both)).toThrow(/mail\.smtp\.host and mail\.imap4\.host leave open/)
    expect(parse({ ...both, 'mail.transport.protocol': 'imap4' })).toMatchObject({ protocol: 'imap', address: { host: 'mailbox' } })
  })

  it.each([
    [{}, 'none', 'startTlsIfOffered'],
    [{ 'mail.smtp.starttls.enable': 'true' }, 'startTlsIfOffered', 'startTlsIfOffered'],
    [{ 'mail.smtp.starttls.required': 'true' }, 'startTls', 'startTls'],
    [{ 'mail.smtp.starttls.required': 'TRUE', 'mail.smtp.starttls.enable': 'false' }, 'startTls', 'startTls'],
    [{ 'mail.smtp.ssl.enable': 'true' }, 'implicit', 'implicit'],
    // The number of a port decides nothing.
    [{ 'mail.smtp.port': '465' }, 'none', 'startTlsIfOffered'],
  ])('secures %j on-premise by %s and elsewhere by %s', (properties, onPremise, internet) => {
    expect(parse({ ...smtp, ...properties }).tls).toBe(onPremise)
    expect(parse({ ...smtp, ...properties, ProxyType: 'Internet' }).tls).toBe(internet)
    expect(parse({ ...smtp, ...properties, ProxyType: 'PrivateLink' }).tls).toBe(internet)
  })

  it('does not upgrade POP3 unasked', () => {
    expect(parse({ 'mail.pop3.host': 'a', ProxyType: 'Internet' }).tls).toBe('none')
    expect(parse({ 'mail.pop3.host': 'a', 'mail.pop3.starttls.enable': 'true' }).tls).toBe('startTlsIfOffered')
  })

  it.each([
    [{}, { checkAuthority: true, checkName: true, acceptedNames: [], minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' }],
    [{ 'mail.smtp.ssl.trust': '*' }, { checkAuthority: false, checkName: false }],
    [
      { 'mail.smtp.ssl.trust': 'a.test b.test,c.test' },
      { checkAuthority: true, checkName: true, acceptedNames: ['a.test', 'b.test', 'c.test'] },
    ],
    [{ 'mail.smtp.ssl.checkserveridentity': 'false' }, { checkAuthority: true, checkName: false }],
    [{ 'mail.smtp.ssl.protocols': 'TLSv1 TLSv1.1 TLSv1.2' }, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }],
    [{ 'mail.smtp.ssl.protocols': 'TLSv1.3' }, { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }],
  ])('asks of a certificate what %j says', (properties, rules) => {
    expect(parse({ ...smtp, ...properties }).tlsRules).toMatchObject(rules)
  })

  it('reads everything else that it may have', () => {
    expect(
      parse({
        ...smtp,
        CloudConnectorLocationId: 'orlando',
        Authentication: 'BasicAuthentication',
        'mail.user': 'robot@acme.test',
        'mail.smtp.auth': 'false',
        'mail.smtp.auth.mechanisms': 'xoauth2 plain',
        'mail.smtp.connectiontimeout': '3000',
        'mail.smtp.timeout': '-1',
        'mail.smtp.localhost': 'app.acme.test',
        'mail.smtp.dsn.notify': 'SUCCESS,FAILURE',
        'mail.smtp.dsn.ret': 'HDRS',
        'mail.debug': 'True',
      }),
    ).toMatchObject({
      locationId: 'orlando',
      user: 'robot@acme.test',
      logsOn: false,
      mechanisms: ['XOAUTH2', 'PLAIN'],
      connectTimeoutMs: 3000,
      timeoutMs: undefined,
      localName: 'app.acme.test',
      dsn: { notify: ['SUCCESS', 'FAILURE'], return: 'headers' },
      debug: true,
    })
  })

  it('takes the sender from mail.smtp.from, then mail.<p>.from, then mail.from', () => {
    const all = { 'mail.smtps.host': 'a', 'mail.smtp.from': '1@a', 'mail.smtps.from': '2@a', 'mail.from': '3@a' }
    expect(parse(all).from).toBe('1@a')
    expect(parse({ ...all, 'mail.smtp.from': '' }).from).toBe('2@a')
    expect(parse({ ...all, 'mail.smtp.from': '', 'mail.smtps.from': '' }).from).toBe('3@a')
    expect(parse(smtp).from).toBeUndefined()
  })

  it('PR-039 ignores what begins with mail. and refuses other keys that nobody would read', () => {
    const free = { 'mail.smtp.provider.class': 'x', 'mail.smtp.sendpartial': 'true', 'mail.whatever': 'y', 'mail.description': 'z' }
    const oauth = { tokenServiceURL: 'https://t', 'tokenServiceURL.headers.x': 'y', clientId: 'c', 'tokenService.body.a': 'b', scope: 's' }
    expect(parse({ ...smtp, ...free, ...oauth })).toMatchObject({ protocol: 'smtp', properties: free })
    for (const key of ['smtp.host', 'Mail.smtp.host', 'ldap.url', 'host'])
      expect(() => parse({ ...smtp, [key]: 'x' })).toThrow(`destination "POST": property "${key}" has no meaning for MAIL`)
  })

  it.each([
    [{ 'mail.smtp.host': '' }, 'mail.<protocol>.host'],
    [{ 'mail.transport.protocol': 'smtps' }, 'mail.smtps.host'],
    [{ 'mail.transport.protocol': 'nntp' }, 'mail.transport.protocol'],
    [{ 'mail.smtp.host': 'a:25' }, 'mail.smtp.host'],
    [{ 'mail.smtp.host': 'a b' }, 'mail.smtp.host'],
    [{ 'mail.smtp.host': 'user@a' }, 'mail.smtp.host'],
    [{ 'mail.smtp.port': '0' }, 'mail.smtp.port'],
    [{ 'mail.smtp.port': '65536' }, 'mail.smtp.port'],
    [{ 'mail.smtp.port': '25x' }, 'mail.smtp.port'],
    [{ 'mail.smtp.auth': 'yes' }, 'mail.smtp.auth'],
    [{ 'mail.smtp.starttls.enable': '1' }, 'mail.smtp.starttls.enable'],
    [{ 'mail.smtp.ssl.protocols': 'SSLv3 TLSv1' }, 'mail.smtp.ssl.protocols'],
    [{ 'mail.smtp.timeout': '1 s' }, 'mail.smtp.timeout'],
    [{ 'mail.smtp.dsn.notify': 'NEVER,SUCCESS' }, 'mail.smtp.dsn.notify'],
    [{ 'mail.smtp.dsn.ret': 'ALL' }, 'mail.smtp.dsn.ret'],
    [{ 'mail.user': 'a\u0001auth=Bearer x' }, 'mail.user'],
    [{ 'mail.from': 'a@b\r\nRCPT TO:<c@d>' }, 'mail.from'],
    [{ 'mail.smtp.localhost': 'a\r\nb' }, 'mail.smtp.localhost'],
    [{ ProxyType: 'Elsewhere' }, 'ProxyType'],
  ])('names the property that is wrong: %j', (properties, name) => {
    expect(() => parse({ ...smtp, ...properties })).toThrow(
      expect.objectContaining({ code: 'DESTINATION_INVALID', message: expect.stringContaining(name) }),
    )
  })

  it('has the credentials of mail.user and mail.password before those of User and Password', () => {
    const basic = { Type: 'MAIL', Authentication: 'BasicAuthentication', User: 'other', Password: 'other' }
    const own = credentialsOf({ ...basic, 'mail.user': 'robot', 'mail.password': 'secret' })
    expect(own.kind === 'basic' && [own.user, own.password.reveal()]).toEqual(['robot', 'secret'])
    const fallback = credentialsOf(basic)
    expect(fallback.kind === 'basic' && [fallback.user, fallback.password.reveal()]).toEqual(['other', 'other'])
    expect(credentialsOf({ Type: 'MAIL', 'mail.user': 'robot' })).toEqual({ kind: 'none' })
  })
})
