import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Duplex, Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
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
import { type DovecotWithTokens, skipUnless, startDovecotWithTokens } from '@sallyport/real-backends'
import { createSocksServer, createTestCa, type SocksServer } from '@sallyport/test-fixtures'
import { ImapFlow, type ImapFlowOptions } from 'imapflow'
import { ImapFlow as OlderImapFlow } from 'imapflow-2.1'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createImapAdapter, type ImapClient, type ImapFlowClass } from '../src/index.ts'

const run = promisify(execFile)
const signal = (): AbortSignal => AbortSignal.timeout(15_000)
/** How each client of the library was led to its stream. */
const ways: string[] = []
const watched = (library: ImapFlowClass): ImapFlowClass =>
  class extends library {
    constructor(options: ImapFlowOptions) {
      super(options)
      const { transport, tls } = options as { readonly transport?: unknown; readonly tls?: { readonly path?: string } }
      ways.push(transport !== undefined ? 'the option transport' : tls?.path !== undefined ? 'the bridge' : 'none')
    }
  }
const libraries = [
  { id: 'PR-047', how: 'the option transport', library: watched(ImapFlow) },
  { id: 'PR-046', how: 'the bridge', library: watched(OlderImapFlow as unknown as ImapFlowClass) },
] as const

const first = 'Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\nFrom: jane@acme.test\n\nHello {3}\n* 1 EXISTS\n)\n'
const second = `Subject: large\n\n${`${randomBytes(54).toString('base64')}\n`.repeat(20_000)}`
const wire = (message: string): string => message.replaceAll('\n', '\r\n')
const hash = (bytes: Buffer | string | undefined): string =>
  createHash('sha256')
    .update(bytes ?? '')
    .digest('hex')

const ca = createTestCa()

describe.skipIf(skipUnless('dovecot', 'python3')).each(libraries)('Dovecot by $how', ({ id, how, library }) => {
  let dovecot: DovecotWithTokens
  let proxy: SocksServer
  beforeAll(async () => {
    dovecot = await startDovecotWithTokens({
      tls: ca.issue({ subject: '/CN=mail.acme.test', names: ['mail.acme.test'] }),
      users: { jane: 'p4ss', oauth: 'unused', robot: 'pa"ss\\word' },
      messages: { jane: [first, second], oauth: [first] },
    })
    proxy = await createSocksServer({ token: 't.t.t', route: (_host, port) => ({ host: '127.0.0.1', port }) })
  })
  afterAll(async () => {
    await dovecot[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
  })

  const basic = (user = 'jane', password = 'p4ss'): Credentials => ({ kind: 'basic', user, password: createSecret(password) })
  const bearer = (token: string): Credentials => ({ kind: 'header', name: 'Authorization', value: createSecret(`Bearer ${token}`) })
  const dials: Readonly<Record<string, () => Dial>> = {
    direct: () => createDirectDial(),
    socks5: () => createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret('t.t.t') }),
  }
  const modes: Readonly<Record<string, () => Readonly<Record<string, string>>>> = {
    plain: () => ({ 'mail.imap4.host': '127.0.0.1', 'mail.imap4.port': String(dovecot.imapPort), 'mail.imap4.starttls.enable': '' }),
    STARTTLS: () => ({ ...modes['plain']?.(), 'mail.imap4.starttls.required': 'true' }),
    TLS: () => ({ 'mail.imap4s.host': '127.0.0.1', 'mail.imap4s.port': String(dovecot.imapsPort) }),
  }
  function connect(
    credentials: Credentials = basic(),
    { mode = 'plain', dial = createDirectDial(), servername, renew }: Where = {},
  ): Promise<ImapClient> {
    const adapter = createImapAdapter({
      clock: systemClock,
      library,
      tls: { ca: [ca.certificate], servername: servername ?? 'mail.acme.test' },
    })
    const properties = { Name: 'INBOX', Type: 'MAIL', ProxyType: 'OnPremise', 'mail.user': 'oauth', ...modes[mode]?.() }
    return adapter.connect(parseDestination(properties) as MailDestination, {
      dial,
      credentials,
      ...(renew === undefined ? {} : { renewCredentials: renew }),
      signal: signal(),
      log: silentLogger,
    })
  }

  describe.each(Object.entries(dials))('%s', (_way, dialOf) => {
    it.each(Object.keys(modes))(`${id} logs on, selects, fetches, appends and idles over %s`, async (mode) => {
      ways.length = 0
      await using client = await connect(basic(), { mode, dial: dialOf() })
      await client.withMailbox(
        'INBOX',
        async (flow) => {
          const found = await flow.fetchAll('1:2', { envelope: true, source: true })
          expect(found.map(({ envelope }) => envelope?.subject)).toEqual(['grüße', 'large'])
          expect(found.map(({ source }) => hash(source))).toEqual([first, second].map((message) => hash(wire(message))))
          const { content } = (await flow.download('2', undefined)) as { readonly content: NodeJS.ReadableStream }
          expect(hash(await buffer(content))).toBe(hash(wire(second)))
        },
        { readOnly: true },
      )
      const folder = `Drafts ${mode} ${_way}`
      const flow = await client.flow()
      await flow.mailboxCreate(folder)
      await flow.mailboxOpen(folder)
      // Another connection looks on while this one idles.
      await using watcher = await connect(basic(), { mode, dial: dialOf() })
      const watching = await watcher.flow()
      await watching.mailboxOpen(folder)
      const arrived = once(watching, 'exists')
      const idling = watching.idle()
      const appended = await flow.append(folder, wire(first), ['\\Flagged'])
      expect(appended).not.toBe(false)
      expect(await arrived).toMatchObject([{ path: folder, count: 1, prevCount: 0 }])
      await watching.noop()
      await idling
      await client.withMailbox(folder, async (opened) => {
        const message = await opened.fetchOne('*', { source: true, flags: true })
        expect(message !== false && message !== undefined && [String(message.source), message.flags?.has('\\Flagged')]).toEqual([
          wire(first),
          true,
        ])
      })
      await watcher.logout()
      await flow.mailboxDelete(folder)
      await client.logout()
      expect(new Set(ways)).toEqual(new Set([how]))
    })
  })

  it('PR-048 STARTTLS over a plain stream ends encrypted, before anybody logs on', async () => {
    const sent: Buffer[] = []
    const dial: Dial = async (address, options) => {
      const stream = await createDirectDial()(address, options)
      const noted = new Transform({
        transform(chunk: Buffer, _encoding, callback) {
          sent.push(chunk)
          callback(null, chunk)
        },
      })
      noted.pipe(stream)
      return Duplex.from({ readable: stream, writable: noted })
    }
    const mark = dovecot.log().length
    await using client = await connect(basic(), { mode: 'STARTTLS', dial })
    const flow = await client.flow()
    expect([flow.secureConnection, flow.tls !== false && flow.tls !== undefined]).toEqual([true, true])
    const plain = Buffer.concat(sent)
    const end = plain.indexOf('STARTTLS\r\n') + 'STARTTLS\r\n'.length
    expect(plain.subarray(0, end).toString()).toMatch(/^(?:\w+ (?:CAPABILITY|ID [^\r\n]*)\r\n)*\w+ STARTTLS\r\n$/)
    // A handshake record, and nothing readable behind it.
    expect(plain[end]).toBe(0x16)
    expect(plain.subarray(end).toString('latin1')).not.toMatch(/LOGIN|AUTHENTICATE|NAMESPACE/)
    await expect.poll(() => dovecot.log().slice(mark)).toMatch(/Login: user=<jane>.*TLS/)
  })

  it('tells a wrong password from a certificate that is not trusted, and a mailbox that is not there', async () => {
    await using wrong = await connect(basic('jane', 'wrong'))
    await expect(wrong.ping(signal())).rejects.toMatchObject({ code: 'LOGON_REFUSED', details: { responseCode: 'AUTHENTICATIONFAILED' } })
    for (const mode of ['TLS', 'STARTTLS']) {
      await using untrusting = await connect(basic(), { mode, servername: 'another.acme.test' })
      await expect(untrusting.ping(signal()), mode).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
    }
    await using client = await connect(basic('robot', 'pa"ss\\word'))
    await expect(client.withMailbox('Nowhere', async () => {})).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await client.ping(signal())
  })

  it.each(Object.keys(modes))('PR-036 a token is presented by SASL, and one that is refused is renewed once, over %s', async (mode) => {
    dovecot.introspection.users.set('good-token', 'oauth')
    {
      await using client = await connect(bearer('good-token'), { mode })
      await client.ping(signal())
    }
    let renewed = 0
    const mark = dovecot.introspection.asked.length
    await using client = await connect(bearer('expired-token'), {
      mode,
      renew: async () => {
        renewed += 1
        return bearer('good-token')
      },
    })
    const subjects: (string | undefined)[] = []
    for await (const { envelope } of client.fetchUnseen()) subjects.push(envelope?.subject)
    expect(subjects).toEqual(['grüße'])
    expect([renewed, dovecot.introspection.asked.slice(mark)]).toEqual([1, ['expired-token', 'good-token']])
    await using hopeless = await connect(bearer('expired-token'), { mode, renew: async () => bearer('another-expired-token') })
    await expect(hopeless.ping(signal())).rejects.toMatchObject({ code: 'LOGON_REFUSED' })
    expect(dovecot.introspection.asked.slice(mark + 2)).toEqual(['expired-token', 'another-expired-token'])
  })

  it('gives unseen messages one after the other, marks none, and lets work be done in between', async () => {
    await using client = await connect()
    const flow = await client.flow()
    await flow.mailboxCreate('Unseen')
    for (const name of ['a', 'b', 'c']) await flow.append('Unseen', `Subject: ${name}\r\n\r\n${name}\r\n`, name === 'b' ? ['\\Seen'] : [])
    const seen: (string | undefined)[] = []
    for await (const { uid, envelope, source } of client.fetchUnseen('Unseen')) {
      seen.push(envelope?.subject)
      expect(String(source)).toBe(`Subject: ${envelope?.subject}\r\n\r\n${envelope?.subject}\r\n`)
      await client.withMailbox('Unseen', (opened) => opened.messageFlagsAdd(String(uid), ['\\Flagged'], { uid: true }))
    }
    expect(seen).toEqual(['a', 'c'])
    const again: (string | undefined)[] = []
    for await (const { envelope } of client.fetchUnseen('Unseen', { query: { envelope: true } })) again.push(envelope?.subject)
    expect(again).toEqual(['a', 'c'])
    await (await client.flow()).mailboxDelete('Unseen')
  })

  it('imaplib reads the same mailbox with equal content', async () => {
    const script = [
      'import imaplib, sys, json',
      'box = imaplib.IMAP4("127.0.0.1", int(sys.argv[1])); box.login("jane", "p4ss"); box.select("INBOX", True)',
      'numbers = box.search(None, "ALL")[1][0].split()',
      'print(json.dumps([box.fetch(n, "(BODY.PEEK[])")[1][0][1].decode() for n in numbers])); box.logout()',
    ]
    const { stdout } = await run('python3', ['-c', script.join('\n'), String(dovecot.imapPort)], { maxBuffer: 1 << 24 })
    await using client = await connect()
    const found = await client.withMailbox('INBOX', (flow) => flow.fetchAll('1:*', { source: true }), { readOnly: true })
    expect(found.map(({ source }) => String(source))).toEqual(JSON.parse(stdout))
  })

  it('connects again after the server has ended the connection', async () => {
    await using client = await connect()
    const before = await client.flow()
    const ended = once(before, 'close')
    before.close()
    await ended
    await client.ping(signal())
    expect(await client.flow()).not.toBe(before)
  })
})

interface Where {
  readonly mode?: string
  readonly dial?: Dial
  readonly servername?: string
  readonly renew?: () => Promise<Credentials>
}
