import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import {
  type Address,
  type ConnectContext,
  createSecret,
  type Credentials,
  type Dial,
  type LogFields,
  type Logger,
  type MailDestination,
  parseDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createSocketNetwork, createTestCa, type FarEnd } from '@sallyport/test-fixtures'
import { ImapFlow } from 'imapflow'
import { ImapFlow as OlderImapFlow } from 'imapflow-2.1'
import { describe, expect, it } from 'vitest'
import { type AccountScript, playAccount, storedImapMessage as storedMessage } from '@sallyport/conformance/backends'
import { createImapAdapter, type ImapAdapterOptions, type ImapClient, type ImapFlowClass } from '../src/index.ts'

const password = 'p4ss-w0rd-of-the-user'
const basic: Credentials = { kind: 'basic', user: 'jane', password: createSecret(password) }
const bearer = (token: string, expiresAtMs?: number): Credentials => ({
  kind: 'header',
  name: 'Authorization',
  value: createSecret(`Bearer ${token}`),
  ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
})
const signal = (): AbortSignal => AbortSignal.timeout(8000)
const oauth = { Authentication: 'OAuth2ClientCredentials' }

interface Opening {
  readonly properties?: Readonly<Record<string, string>>
  readonly context?: Partial<ConnectContext>
  readonly options?: Partial<ImapAdapterOptions>
}

/** An account that notes what every connection sends. */
function account(script: AccountScript, sent: string[][] = []): (far: FarEnd) => void {
  return ({ stream }) => void sent.push(playAccount(stream, script))
}

/** The keywords of the commands, without tags. */
function keywords(lines: readonly string[] | undefined): readonly (string | undefined)[] {
  return (lines ?? []).map((line) => line.split(' ')[1]).filter((word) => word !== 'ID')
}

/** A stream whose last bytes come all at once, together with its end. */
function holdBack(stream: Duplex, isLast: () => boolean): Duplex {
  const last: Buffer[] = []
  const held = new Duplex({
    read: () => void stream.resume(),
    write: (chunk: Buffer, _encoding, callback) => void stream.write(chunk, callback),
    final: (callback) => void stream.end(callback),
    destroy(error, callback) {
      stream.destroy()
      callback(error)
    },
  })
  stream.on('data', (chunk: Buffer) => (isLast() ? last.push(chunk) : held.push(chunk)))
  stream.on('end', () => {
    if (last.length > 0) held.push(Buffer.concat(last))
    held.push(null)
  })
  stream.on('error', (error) => held.destroy(error))
  return held
}

describe.each([
  ['the option transport', ImapFlow],
  ['the bridge', OlderImapFlow as unknown as ImapFlowClass],
] as const)('a server by %s', (how, library) => {
  function open({ host, port }: Address, { properties = {}, context = {}, options = {} }: Opening = {}): Promise<ImapClient> {
    const destination = parseDestination({
      Name: 'ACCOUNT',
      Type: 'MAIL',
      ProxyType: 'OnPremise',
      'mail.imap4.host': host,
      'mail.imap4.port': String(port),
      'mail.user': 'jane',
      ...properties,
    }) as MailDestination
    return createImapAdapter({ clock: systemClock, library, ...options }).connect(destination, {
      dial: createDirectDial(),
      credentials: { kind: 'none' },
      signal: signal(),
      log: silentLogger,
      ...context,
    })
  }

  it.each([
    ['short', 'plain'],
    ['short', 'TLS'],
    ['short', 'STARTTLS'],
    ['long', 'plain'],
    ['long', 'TLS'],
    ['long', 'STARTTLS'],
  ] as const)('that ends right after a %s and complete answer has given it (%s)', async (length, mode) => {
    await using net = createSocketNetwork()
    const source = length === 'short' ? storedMessage : `Subject: long\r\n\r\n${`${'x'.repeat(78)}\r\n`.repeat(10_000)}`
    const ca = createTestCa()
    const own = ca.issue({ subject: '/CN=mail.acme.test', names: ['mail.acme.test'] })
    let answering = false
    const secure = (stream: Duplex): Duplex =>
      new TLSSocket(stream, { isServer: true, cert: own.certificate, key: own.key }).on('error', () => {})
    const play = (stream: Duplex, greeting: string): void =>
      void playAccount(stream, {
        opens: () => true,
        greeting,
        answer(tag, line, say) {
          if (!line.startsWith('UID FETCH')) return false
          answering = true
          say(`* 1 FETCH (UID 7 FLAGS () BODY[] {${source.length}}\r\n${source})\r\n${tag} OK done\r\n`)
          stream.end()
          return true
        },
      })
    const address = await net.serve(({ stream }) => {
      if (mode === 'plain') return play(stream, '* OK ready\r\n')
      if (mode === 'TLS') return play(secure(stream), '* OK ready\r\n')
      playAccount(stream, {
        opens: () => true,
        capabilities: 'IMAP4rev1 STARTTLS',
        answer(tag, line, say) {
          if (line !== 'STARTTLS') return false
          stream.removeAllListeners('data')
          say(`${tag} OK begin\r\n`)
          play(secure(stream), '')
          return true
        },
      })
      return undefined
    })
    const [host, port] = [address.host, String(address.port)]
    const implicit = { 'mail.imap4s.host': host, 'mail.imap4s.port': port, 'mail.imap4.host': '', 'mail.imap4.port': '' }
    const properties = { plain: {}, TLS: implicit, STARTTLS: { 'mail.imap4.starttls.required': 'true' } }[mode]
    const tls = { ca: [ca.certificate], servername: 'mail.acme.test' }
    const direct = createDirectDial()
    const dial: Dial = async (to, given) => holdBack(await direct(to, given), () => answering)
    await using client = await open(address, { properties, options: { tls }, context: { credentials: basic, dial } })
    const fetched = await client.withMailbox('INBOX', (flow) => flow.fetchOne('7', { source: true }, { uid: true }))
    expect(fetched === false ? undefined : fetched.source?.toString()).toBe(source)
  })

  it('PR-049 that advertises SASL-IR gets the token with AUTHENTICATE', async () => {
    await using net = createSocketNetwork()
    const sent: string[][] = []
    const address = await net.serve(account({ opens: () => true }, sent))
    await using client = await open(address, { properties: oauth, context: { credentials: bearer('the-token') } })
    await client.ping(signal())
    const response = Buffer.from('user=jane\u0001auth=Bearer the-token\u0001\u0001').toString('base64')
    expect(sent[0]?.find((line) => line.includes('AUTHENTICATE'))).toMatch(
      new RegExp(`^\\w+ AUTHENTICATE XOAUTH2 ${response.replaceAll('+', '\\+')}$`),
    )
  })

  it('PR-036 that refuses a token gets one new token on one new connection, then it is given up', async () => {
    await using net = createSocketNetwork()
    const sent: string[][] = []
    const address = await net.serve(account({ opens: (presented) => presented.includes('Bearer fresh\u0001') }, sent))
    let renewed = 0
    const opening = (next: string): Opening => ({
      properties: oauth,
      context: {
        credentials: bearer('stale'),
        renewCredentials: async () => {
          renewed += 1
          return bearer(next)
        },
      },
    })
    await using client = await open(address, opening('fresh'))
    await client.ping(signal())
    expect([renewed, sent.length]).toEqual([1, 2])
    await using hopeless = await open(address, opening('also-stale'))
    await expect(hopeless.ping(signal())).rejects.toMatchObject({
      code: 'LOGON_REFUSED',
      details: { responseCode: 'AUTHENTICATIONFAILED' },
    })
    expect([renewed, sent.length]).toEqual([2, 4])
  })

  it('PR-037 without STARTTLS, or refusing it, gets no credentials where it is required', async () => {
    await using net = createSocketNetwork()
    const required = { 'mail.imap4.starttls.required': 'true' }
    const scripts: readonly AccountScript[] = [
      { opens: () => true },
      {
        opens: () => true,
        capabilities: 'IMAP4rev1 STARTTLS AUTH=PLAIN',
        answer: (tag, line, say) => line === 'STARTTLS' && (say(`${tag} NO not now\r\n`), true),
      },
      // A greeting that leaves no room for STARTTLS is what somebody in between would send.
      {
        greeting: '* PREAUTH come in\r\n',
        capabilities: 'IMAP4rev1 STARTTLS',
        answer: (tag, line, say) => line === 'STARTTLS' && (say(`${tag} BAD\r\n`), true),
      },
    ]
    for (const script of scripts) {
      const sent: string[][] = []
      await using client = await open(await net.serve(account(script, sent)), { properties: required, context: { credentials: basic } })
      await expect(client.ping(signal())).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
      expect(sent.flat().join()).not.toMatch(/AUTHENTICATE|LOGIN|SELECT/)
    }
    await net.idle()
  })

  it('PR-038 without STARTTLS is spoken to in plain where it is only enabled', async () => {
    await using net = createSocketNetwork()
    const sent: string[][] = []
    const address = await net.serve(account({ opens: () => true }, sent))
    await using client = await open(address, { properties: { 'mail.imap4.starttls.enable': 'true' }, context: { credentials: basic } })
    await client.ping(signal())
    expect(keywords(sent[0])).toContain('AUTHENTICATE')
  })

  it('that says more in plain behind its agreement to STARTTLS is PROTOCOL_VIOLATION', async () => {
    await using net = createSocketNetwork()
    const sent: string[][] = []
    const script: AccountScript = {
      opens: () => true,
      capabilities: 'IMAP4rev1 STARTTLS AUTH=PLAIN',
      answer: (tag, line, say) => line === 'STARTTLS' && (say(`${tag} OK begin\r\n* PREAUTH trust me\r\n`), true),
    }
    await using client = await open(await net.serve(account(script, sent)), {
      properties: { 'mail.imap4.starttls.required': 'true' },
      context: { credentials: basic },
    })
    await expect(client.ping(signal())).rejects.toMatchObject({ code: 'PROTOCOL_VIOLATION' })
    expect(sent.flat().join()).not.toContain('AUTHENTICATE')
    await net.idle()
  })

  it('PR-013 that resets behind the library is an error with the reset as its cause', async () => {
    await using net = createSocketNetwork()
    const address = await net.serve(
      (far) => void playAccount(far.stream, { answer: (_tag, line) => line.startsWith('SELECT') && (far.reset(), true) }),
    )
    await using client = await open(address)
    const error: unknown = await client.withMailbox('INBOX', async () => {}).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'BACKEND_UNREACHABLE', cause: { code: 'BACKEND_UNREACHABLE', cause: { code: 'ECONNRESET' } } })
    expect(client.failure).toMatchObject({ cause: { code: 'ECONNRESET' } })
  })

  it('that says BYE is told from one that breaks, and is connected to again', async () => {
    await using net = createSocketNetwork()
    let byes = 0
    const address = await net.serve(({ stream }) => {
      playAccount(stream, {
        answer(_tag, line, say) {
          if (!line.startsWith('SELECT') || byes > 0) return false
          byes += 1
          say('* BYE closing for the night\r\n')
          stream.end()
          return true
        },
      })
    })
    await using client = await open(address)
    await expect(client.withMailbox('INBOX', async () => {})).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    expect(await client.withMailbox('INBOX', async ({ mailbox }) => mailbox !== false && mailbox.exists)).toBe(1)
    expect(net.accepted).toBe(2)
  })

  it('that is silent costs what the destination allows, and nothing stays open', async () => {
    await using net = createSocketNetwork()
    const silent = await net.serve(
      ({ stream }) =>
        void stream
          .on('end', () => stream.end())
          .on('error', () => {})
          .resume(),
    )
    await using client = await open(silent, { properties: { 'mail.imap4.connectiontimeout': '80' } })
    await expect(client.ping(signal())).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    const halting = await net.serve(account({ answer: (_tag, line) => line.startsWith('SELECT') }))
    await using other = await open(halting, { properties: { 'mail.imap4.timeout': '150' } })
    await expect(other.withMailbox('INBOX', async () => {})).rejects.toMatchObject({ code: 'BACKEND_TIMEOUT' })
    await net.idle()
  })

  it('is connected to once by many who come at once, and some of them may give up', async () => {
    await using net = createSocketNetwork()
    const { promise: arrived, resolve } = Promise.withResolvers<() => void>()
    const address = await net.serve(({ stream }) => resolve(() => void playAccount(stream)))
    await using client = await open(address)
    const controller = new AbortController()
    const impatient = client.ping(controller.signal).catch((error: unknown) => error)
    const others = [client.ping(signal()), client.flow(), client.withMailbox('INBOX', async () => {})]
    const go = await arrived
    controller.abort()
    expect(await impatient).toMatchObject({ code: 'ABORTED' })
    go()
    await Promise.all(others)
    expect(net.accepted).toBe(1)
  })

  it('is left alone when everybody who waited for it has given up', async () => {
    await using net = createSocketNetwork()
    const address = await net.serve(
      ({ stream }) =>
        void stream
          .on('end', () => stream.end())
          .on('error', () => {})
          .resume(),
    )
    await using client = await open(address)
    const controller = new AbortController()
    const attempts = [client.ping(controller.signal), client.flow({ signal: controller.signal })].map((attempt) =>
      attempt.catch((error: unknown) => error),
    )
    await expect.poll(() => net.accepted).toBe(1)
    controller.abort()
    expect(await Promise.all(attempts)).toMatchObject([{ code: 'ABORTED' }, { code: 'ABORTED' }])
    await net.idle()
  })

  it('loses its connection to an operation that is aborted, and gets another with the next', async () => {
    await using net = createSocketNetwork()
    const { promise: selected, resolve } = Promise.withResolvers<void>()
    let first = true
    const address = await net.serve(
      account({
        answer(_tag, line) {
          if (!line.startsWith('SELECT') || !first) return false
          first = false
          resolve()
          return true
        },
      }),
    )
    await using client = await open(address)
    const controller = new AbortController()
    const aborted = client.withMailbox('INBOX', async () => {}, { signal: controller.signal }).catch((error: unknown) => error)
    await selected
    controller.abort()
    expect(await aborted).toMatchObject({ code: 'ABORTED' })
    const found: (string | undefined)[] = []
    for await (const { source } of client.fetchUnseen()) found.push(source?.toString())
    expect(found).toEqual([storedMessage])
    expect(net.accepted).toBe(2)
  })

  it('is connected to anew before the token expires, while work that is going on keeps its connection', async () => {
    await using net = createSocketNetwork()
    const presented: string[] = []
    const address = await net.serve(account({ opens: (text) => (presented.push(/Bearer ([\w-]+)/.exec(text)?.[1] ?? ''), true) }))
    let nowMs = 1_800_000_000_000
    const clock = { ...systemClock, now: () => nowMs }
    let count = 0
    await using client = await open(address, {
      properties: oauth,
      options: { clock },
      context: {
        credentials: bearer('t0', clock.now() + 30_000),
        renewCredentials: async () => bearer(`t${(count += 1)}`, clock.now() + 3_600_000),
      },
    })
    const before = await client.flow()
    // Half a minute is too little to begin with.
    expect(presented).toEqual(['t1'])
    const { promise: gate, resolve: go } = Promise.withResolvers<void>()
    const working = client.withMailbox('INBOX', async (flow) => {
      await gate
      return [flow, await flow.search({ all: true }, { uid: true })] as const
    })
    nowMs += 3_550_000
    expect(await client.flow()).not.toBe(before)
    expect(presented).toEqual(['t1', 't2'])
    const ended = once(before, 'close')
    go()
    expect(await working).toEqual([before, [7]])
    await ended
  })

  it('PR-008 that gives the password back shows it in no error and no log', async () => {
    await using net = createSocketNetwork()
    const lines: unknown[] = []
    const note = (fields: LogFields, message: string): void => void lines.push(fields, message)
    const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log }
    const base64 = Buffer.from(`\0jane\0${password}`).toString('base64')
    const echo: AccountScript = {
      capabilities: 'IMAP4rev1',
      answer: (tag, line, say) =>
        line.startsWith('LOGIN') && (say(`${tag} NO not ${password} nor ${Buffer.from(password).toString('base64')}\r\n`), true),
    }
    const opening: Opening = { properties: { 'mail.debug': 'true' }, context: { credentials: basic, log } }
    await using client = await open(await net.serve(account({ ...echo, opens: () => true })), opening)
    const error: unknown = await client.ping(signal()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LOGON_REFUSED', details: { response: 'not [redacted] nor [redacted]' } })
    await using friendly = await open(await net.serve(account({ opens: () => true })), opening)
    await friendly.ping(signal())
    const shown = inspect([error, lines], { depth: 20, showHidden: true }) + JSON.stringify([error, lines])
    for (const secret of [password, base64]) expect(shown).not.toContain(secret)
    expect(shown).toContain('AUTHENTICATE PLAIN')
  })

  it('is said goodbye to for a second at most', async () => {
    await using net = createSocketNetwork()
    const sent: string[][] = []
    const address = await net.serve(account({ answer: (_tag, line) => line === 'LOGOUT' }, sent))
    const client = await open(address)
    await client.ping(signal())
    await client[Symbol.asyncDispose]()
    expect(keywords(sent[0])).toContain('LOGOUT')
    await net.idle()
    await expect(client.flow()).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it.runIf(how === 'the option transport')('PR-049 that does not advertise SASL-IR gets the token when it asks', async () => {
    await using net = createSocketNetwork()
    const sent: string[][] = []
    const address = await net.serve(account({ opens: () => true, capabilities: 'IMAP4rev1 AUTH=XOAUTH2' }, sent))
    await using client = await open(address, { properties: oauth, context: { credentials: bearer('the-token') } })
    await client.ping(signal())
    const at = sent[0]?.findIndex((line) => line.endsWith('AUTHENTICATE XOAUTH2')) ?? -1
    expect(Buffer.from(sent[0]?.[at + 1] ?? '', 'base64').toString()).toBe('user=jane\u0001auth=Bearer the-token\u0001\u0001')
  })
})
