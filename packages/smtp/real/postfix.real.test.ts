import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import {
  createSecret,
  type Credentials,
  type Dial,
  type MailDestination,
  parseDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import {
  type Dovecot,
  type Postfix,
  skipUnless,
  skipUnlessRoot,
  startDovecot,
  startPostfix,
  startTokenIntrospection,
  type TokenIntrospection,
} from '@sallyport/real-backends'
import { createSocksServer, createTestCa, type SocksServer } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createSmtpAdapter, type SmtpClient } from '../src/index.ts'

const run = promisify(execFile)
const signal = (): AbortSignal => AbortSignal.timeout(15_000)
const ca = createTestCa()
const tls = ca.issue({ subject: '/CN=relay.acme.test', names: ['relay.acme.test'] })
const mail = { from: 'robot@acme.test', subject: 'Hello', text: 'Hello Jane' }
const basic: Credentials = { kind: 'basic', user: 'robot', password: createSecret('p4ss') }

interface Where {
  readonly properties?: Readonly<Record<string, string>>
  readonly credentials?: Credentials
  readonly dial?: Dial
  readonly renew?: () => Promise<Credentials>
  readonly servername?: string
}

function connect(
  { port, securePort }: Postfix,
  { properties = {}, credentials = basic, dial, renew, servername = 'relay.acme.test' }: Where = {},
): Promise<SmtpClient> {
  const destination = parseDestination({
    Name: 'POST',
    Type: 'MAIL',
    ProxyType: 'OnPremise',
    'mail.transport.protocol': 'smtp',
    'mail.smtp.host': '127.0.0.1',
    'mail.smtp.port': String(port),
    'mail.smtps.host': '127.0.0.1',
    'mail.smtps.port': String(securePort),
    'mail.user': 'robot',
    ...properties,
  }) as MailDestination
  return createSmtpAdapter({ clock: systemClock, tls: { ca: [ca.certificate], servername } }).connect(destination, {
    dial: dial ?? createDirectDial(),
    credentials,
    ...(renew === undefined ? {} : { renewCredentials: renew }),
    signal: signal(),
    log: silentLogger,
  })
}

/** The parts of a message as Python's parser has them: independent of who wrote it. */
const parser = `
import email, email.policy, hashlib, json, sys
message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
parts = [part for part in message.walk() if not part.is_multipart()]
hashed = [[part.get_filename(), hashlib.sha256(part.get_payload(decode=True)).hexdigest()] for part in parts]
print(json.dumps({'from': message['from'], 'to': message['to'], 'subject': message['subject'], 'parts': hashed}))
`
interface Parsed {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly parts: readonly (readonly [string | null, string])[]
}
async function parse(message: Buffer): Promise<Parsed> {
  const running = run('python3', ['-c', parser])
  running.child.stdin?.end(message)
  return JSON.parse((await running).stdout) as Parsed
}
const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')

describe.skipIf(skipUnless('postfix', 'dovecot', 'python3') || skipUnlessRoot())('Postfix', () => {
  let postfix: Postfix
  let open: Postfix
  let dovecot: Dovecot
  let introspection: TokenIntrospection
  let proxy: SocksServer
  beforeAll(async () => {
    introspection = await startTokenIntrospection()
    dovecot = await startDovecot({
      users: { robot: 'p4ss' },
      introspection: introspection.url,
      sasl: true,
    })
    const mailboxes = ['direct', 'socks', 'plain', 'starttls', 'smtps', 'jane', 'john', 'token', 'pool']
    postfix = await startPostfix({ tls, mailboxes, saslPort: dovecot.saslPort })
    open = await startPostfix({ mailboxes: ['jane'] })
    proxy = await createSocksServer({ token: 't.t.t', route: (_host, port) => ({ host: '127.0.0.1', port }) })
  }, 40_000)
  afterAll(async () => {
    for (const each of [postfix, open, dovecot, introspection, proxy]) await each?.[Symbol.asyncDispose]()
  })

  const ways: Readonly<Record<string, () => Dial>> = {
    direct: () => createDirectDial(),
    socks: () => createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret('t.t.t') }),
  }

  it.each(Object.keys(ways))('PR-040 mail arrives as it was sent, %s: text, dots, letters of the world and bytes', async (way) => {
    const text = ['.', '..', '.leading', 'From the beginning', 'trailing ', `long ${'x'.repeat(2000)}`, 'Grüße aus 日本', ''].join('\n')
    const bytes = randomBytes(300_000)
    await using client = await connect(postfix, { dial: ways[way]?.() ?? createDirectDial() })
    const outcome = await client.send(
      {
        ...mail,
        to: `${way}@acme.test`,
        subject: 'Grüße, "zitiert"',
        text,
        attachments: [{ filename: 'übersicht.bin', content: Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]) }],
      },
      { signal: signal() },
    )
    await vi.waitFor(() => expect(postfix.log()).toContain(`${outcome.queueId}: message-id=${outcome.messageId}`))
    const [stored] = await postfix.mailbox(way).messages(1, signal())
    expect(await parse(stored ?? Buffer.alloc(0))).toEqual({
      from: 'robot@acme.test',
      to: `${way}@acme.test`,
      subject: 'Grüße, "zitiert"',
      parts: [
        [null, sha256(text)],
        ['übersicht.bin', sha256(bytes)],
      ],
    })
  })

  it.each([
    ['plain', {}],
    ['starttls', { 'mail.smtp.starttls.required': 'true' }],
    ['smtps', { 'mail.transport.protocol': 'smtps' }],
  ])('logs on and delivers over %s', async (mode, properties) => {
    await using client = await connect(postfix, { properties })
    expect(await client.send({ ...mail, to: `${mode}@acme.test` }, { signal: signal() })).toMatchObject({ accepted: [`${mode}@acme.test`] })
    await client[Symbol.asyncDispose]()
    const [stored] = await postfix.mailbox(mode).messages(1, signal())
    expect(stored?.toString()).toContain('Hello Jane')
    // The relay writes into the message what it was handed over with: S is TLS, A a log-on.
    expect(/\bwith (E?SMTPS?A?)\b/.exec(stored?.toString() ?? '')?.[1]).toBe(mode === 'plain' ? 'ESMTPA' : 'ESMTPSA')
  })

  it('PR-036 a token that Postfix has Dovecot refuse is renewed once and then good', async () => {
    introspection.users.set('fresh-token', 'robot')
    const asked = introspection.asked.length
    let renewals = 0
    const bearer = (token: string): Credentials => ({ kind: 'header', name: 'Authorization', value: createSecret(`Bearer ${token}`) })
    const renew = async (): Promise<Credentials> => {
      renewals += 1
      return bearer('fresh-token')
    }
    const properties = { Authentication: 'OAuth2ClientCredentials', 'mail.smtp.starttls.required': 'true' }
    await using client = await connect(postfix, { properties, credentials: bearer('stale-token'), renew })
    await client.send({ ...mail, to: 'token@acme.test' }, { signal: signal() })
    expect(renewals).toBe(1)
    expect(introspection.asked.slice(asked)).toEqual(['stale-token', 'fresh-token'])
    await vi.waitFor(() => expect(postfix.log()).toMatch(/sasl_method=XOAUTH2, sasl_username=robot/))
    await postfix.mailbox('token').messages(1, signal())

    await using never = await connect(postfix, { properties, credentials: bearer('stale-token'), renew: async () => bearer('other-token') })
    await expect(never.send({ ...mail, to: 'token@acme.test' }, { signal: signal() })).rejects.toMatchObject({ code: 'LOGON_REFUSED' })
  })

  it('refuses a wrong password, and a relay that wants somebody refuses nobody', async () => {
    await using wrong = await connect(postfix, { credentials: { kind: 'basic', user: 'robot', password: createSecret('wr0ng') } })
    await expect(wrong.ping(signal())).rejects.toMatchObject({ code: 'LOGON_REFUSED', details: { responseCode: 535 } })
    await using nobody = await connect(postfix, { credentials: { kind: 'none' } })
    await expect(nobody.send({ ...mail, to: 'jane@acme.test' }, { signal: signal() })).rejects.toMatchObject({ code: 'OPERATION_REFUSED' })
  })

  it('PR-044 takes mail for those it knows, and names the others', async () => {
    await using client = await connect(open, { credentials: { kind: 'none' } })
    const outcome = await client.send({ ...mail, to: ['jane@acme.test', 'nobody@acme.test', 'eve@elsewhere.test'] }, { signal: signal() })
    expect(outcome.accepted).toEqual(['jane@acme.test'])
    expect(outcome.rejected).toMatchObject([
      { recipient: 'nobody@acme.test', responseCode: 550, retryable: false },
      { recipient: 'eve@elsewhere.test', responseCode: 454 },
    ])
    expect(await open.mailbox('jane').messages(1, signal())).toHaveLength(1)
    await expect(client.send({ ...mail, to: 'nobody@acme.test' }, { signal: signal() })).rejects.toMatchObject({
      code: 'OPERATION_REFUSED',
      details: { responseCode: 550, enhancedCode: '5.1.1', rejected: 'nobody@acme.test' },
    })
  })

  it('does not trust a certificate of another name', async () => {
    for (const properties of [{ 'mail.transport.protocol': 'smtps' }, { 'mail.smtp.starttls.enable': 'true' }]) {
      await using client = await connect(postfix, { properties: properties as Record<string, string>, servername: 'other.acme.test' })
      await expect(client.ping(signal())).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
    }
  })

  it('PR-042 takes forty messages over three connections', async () => {
    const before = postfix.log().length
    await using client = await connect(postfix)
    const messages = Array.from({ length: 40 }, (_, index) => ({ ...mail, to: 'pool@acme.test', subject: `Message ${index}` }))
    const outcomes = await client.send(messages, { signal: signal() })
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
    await client[Symbol.asyncDispose]()
    const stored = await postfix.mailbox('pool').messages(40, signal())
    const subjects = new Set(stored.map((message) => /^Subject: (.*)$/m.exec(message.toString())?.[1]))
    expect(subjects.size).toBe(40)
    expect(
      postfix
        .log()
        .slice(before)
        .match(/: connect from/g)?.length,
    ).toBeLessThanOrEqual(5)
  })
})
