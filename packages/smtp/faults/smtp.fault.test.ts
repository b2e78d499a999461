import dns from 'node:dns'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { inspect } from 'node:util'
import {
  type Address,
  type ConnectContext,
  ConnectivityError,
  createSecret,
  type Credentials,
  type Dial,
  type MailDestination,
  parseDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createManualClock, createMemoryPair, createSocketNetwork, createTestCa, type FarEnd } from '@sallyport/test-fixtures'
import { describe, expect, it, vi } from 'vitest'
import { type RelayOptions, type RelaySession, serveRelay } from '@sallyport/conformance/backends'
import { createSmtpAdapter, type SmtpAdapterOptions, type SmtpClient } from '../src/index.ts'

const ca = createTestCa()
const identity = ca.issue({ subject: '/CN=relay', names: ['relay.acme.test'] })
const tls = { ca: [ca.certificate], servername: 'relay.acme.test' }
const password = 'p4ss-w0rd-of-the-app'
const basic = { kind: 'basic', user: 'robot', password: createSecret(password) } as const
const signal = (): AbortSignal => AbortSignal.timeout(8000)
const mail = { to: 'jane@acme.test', subject: 'Hello', text: 'Hello Jane' }

interface Opening extends Partial<SmtpAdapterOptions> {
  readonly properties?: Readonly<Record<string, string>>
  readonly context?: Partial<ConnectContext>
}

function open({ host, port }: Address, { properties = {}, context = {}, ...options }: Opening = {}): Promise<SmtpClient> {
  const destination = parseDestination({
    Name: 'POST',
    Type: 'MAIL',
    ProxyType: 'OnPremise',
    'mail.transport.protocol': 'smtp',
    'mail.smtp.host': host,
    'mail.smtp.port': String(port),
    'mail.smtps.host': host,
    'mail.smtps.port': String(port),
    'mail.from': 'robot@acme.test',
    ...properties,
  }) as MailDestination
  return createSmtpAdapter({ clock: systemClock, tls, ...options }).connect(destination, {
    dial: createDirectDial(),
    credentials: { kind: 'none' },
    signal: signal(),
    log: silentLogger,
    ...context,
  })
}

/** A relay of the tests on a socket, with what each of its connections has seen. */
async function relay(options: RelayOptions | ((connection: number) => RelayOptions) = {}) {
  const network = createSocketNetwork()
  const sessions: RelaySession[] = []
  const ends: FarEnd[] = []
  const address = await network.serve((far) => {
    ends.push(far)
    sessions.push(serveRelay(far, typeof options === 'function' ? options(sessions.length) : options))
  })
  return {
    network,
    address,
    sessions,
    ends,
    lines: () => sessions.flatMap(({ lines }) => lines),
    messages: () => sessions.flatMap(({ messages }) => messages),
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.fail('expected a rejection'),
    (reason: unknown) => reason,
  )
const shown = (error: unknown): string => inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error)

describe('how a connection is secured', () => {
  it('PR-041 port 465 with protocol smtp stays plain, and no port makes smtps of it', async () => {
    await using server = await relay()
    const dialled: Address[] = []
    const dial: Dial = (address, options) => {
      dialled.push(address)
      return createDirectDial()(server.address, options)
    }
    await using client = await open(server.address, { properties: { 'mail.smtp.port': '465' }, context: { dial } })
    await client.send(mail, { signal: signal() })
    expect(dialled).toEqual([{ host: '127.0.0.1', port: 465 }])
    expect(server.sessions[0]?.lines[0]).toMatch(/^EHLO /)
  })

  it('smtps speaks TLS from the first byte, whatever the port', async () => {
    await using server = await relay({ tls: { ...identity, implicit: true } })
    await using client = await open(server.address, { properties: { 'mail.transport.protocol': 'smtps' } })
    await client.send(mail, { signal: signal() })
    expect(server.sessions[0]?.lines[0]).toMatch(/^\(TLS\) EHLO /)
    expect(server.messages()).toHaveLength(1)
  })

  it('PR-038 starttls.enable upgrades when that is offered, and goes on in plain otherwise', async () => {
    const properties = { 'mail.smtp.starttls.enable': 'true' }
    await using secured = await relay({ tls: identity })
    await using first = await open(secured.address, { properties })
    await first.send(mail, { signal: signal() })
    expect(secured.lines()[1]).toBe('STARTTLS')
    expect(secured.lines().filter((line) => /^(MAIL|RCPT|DATA)/.test(line))).toEqual([])
    expect(secured.messages()).toHaveLength(1)

    await using plain = await relay()
    await using second = await open(plain.address, { properties })
    await second.send(mail, { signal: signal() })
    expect(plain.lines().join('\n')).toMatch(/^EHLO .*\nMAIL /)
    expect(plain.messages()).toHaveLength(1)
  })

  it('PR-037 starttls.required without support of the server fails before credentials are sent', async () => {
    await using server = await relay({ admit: () => true })
    const properties = { 'mail.smtp.starttls.required': 'true' }
    await using client = await open(server.address, { properties, context: { credentials: basic } })
    await expect(client.send(mail, { signal: signal() })).rejects.toMatchObject({ code: 'OPERATION_REFUSED' })
    expect(server.lines().filter((line) => line.startsWith('AUTH'))).toEqual([])
    expect(server.lines().some((line) => line.includes(Buffer.from(password).toString('base64').slice(0, 8)))).toBe(false)
    await server.network.idle()
  })

  it('a STARTTLS that is offered and then refused does not get a password either', async () => {
    await using server = await relay({
      tls: identity,
      admit: () => true,
      answer: (line) => (line === 'STARTTLS' ? '454 4.7.0 not now' : undefined),
    })
    const properties = { 'mail.smtp.starttls.enable': 'true' }
    await using client = await open(server.address, { properties, context: { credentials: basic } })
    await expect(client.send(mail, { signal: signal() })).rejects.toMatchObject({ code: 'OPERATION_REFUSED' })
    expect(server.lines().filter((line) => line.startsWith('AUTH'))).toEqual([])
  })

  it('answers that were put behind the one to STARTTLS in plain are not taken for those behind it', async () => {
    const injected = ['220 2.0.0 go on', '250-relay.test', '250 AUTH PLAIN', '235 2.7.0 welcome', '250 2.1.0 ok'].join('\r\n')
    await using network = createSocketNetwork()
    const sessions: RelaySession[] = []
    const address = await network.serve((far) => {
      far.stream.on('error', () => {})
      far.stream.write('220 relay.test\r\n')
      far.stream.once('data', () => {
        far.stream.write('250-relay.test\r\n250 STARTTLS\r\n')
        far.stream.once('data', () => {
          far.stream.write(`${injected}\r\n`)
          sessions.push(serveRelay(far, { tls: { ...identity, implicit: true }, greeting: '' }))
        })
      })
    })
    await using client = await open(address, { properties: { 'mail.smtp.starttls.required': 'true' }, context: { credentials: basic } })
    // The server behind TLS lets nobody log on; who said that it does was somebody else.
    await expect(client.send(mail, { signal: signal() })).rejects.toMatchObject({
      code: 'OPERATION_REFUSED',
      message: expect.stringContaining('lets nobody log on'),
    })
    expect(sessions.flatMap(({ lines }) => lines)[0]).toMatch(/^\(TLS\) EHLO/)
    expect(sessions.flatMap(({ lines }) => lines).filter((line) => line.includes('AUTH'))).toEqual([])
  })

  it.each([
    ['an authority that nobody knows', { tls: { servername: 'relay.acme.test' } }],
    ['another name', { tls: { ca: [ca.certificate] } }],
  ])('a certificate of %s is BACKEND_UNTRUSTED, with SMTPS as with STARTTLS', async (_what, options) => {
    for (const [implicit, properties] of [
      [true, { 'mail.transport.protocol': 'smtps' }],
      [false, { 'mail.smtp.starttls.enable': 'true' }],
    ] as const) {
      await using server = await relay({ tls: { ...identity, implicit }, admit: () => true })
      await using client = await open(server.address, { ...options, properties, context: { credentials: basic } })
      await expect(client.send(mail, { signal: signal() })).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
      expect(server.lines().filter((line) => line.includes('AUTH'))).toEqual([])
      await server.network.idle()
    }
  })

  it('ssl.trust waives what it names: any certificate, or another name', async () => {
    for (const trust of ['*', 'other.test relay.acme.test']) {
      await using server = await relay({ tls: { ...identity, implicit: true } })
      const properties = { 'mail.transport.protocol': 'smtps', 'mail.smtps.ssl.trust': trust }
      await using client = await open(server.address, { properties, tls: trust === '*' ? {} : { ca: [ca.certificate] } })
      await expect(client.ping(signal())).resolves.toBeUndefined()
    }
  })

  it.each(['closes', 'answers in plain'])(
    'a server that %s in the middle of STARTTLS is an error, and nothing goes over in plain',
    async (what) => {
      await using network = createSocketNetwork()
      const received: string[] = []
      const address = await network.serve(({ stream }) => {
        stream.on('error', () => {})
        stream.on('end', () => stream.end())
        stream.write('220 relay.test\r\n')
        stream.on('data', (chunk: Buffer) => {
          received.push(chunk.toString('latin1'))
          if (received.length === 1) stream.write('250-relay.test\r\n250 STARTTLS\r\n')
          else if (received.length === 2) stream.write('220 go on\r\n')
          else if (what === 'closes') stream.end()
          else stream.write('500 what is that?\r\n')
        })
      })
      await using client = await open(address, { properties: { 'mail.smtp.starttls.enable': 'true' } })
      await expect(client.send(mail, { signal: signal() })).rejects.toMatchObject({
        code: what === 'closes' ? 'BACKEND_UNREACHABLE' : 'PROTOCOL_VIOLATION',
      })
      expect(received.join('')).not.toContain('MAIL')
      await network.idle()
    },
  )
})

describe('how a client logs on', () => {
  it('PR-045 NoAuthentication sends no AUTH, also where the server offers it, and neither does mail.smtp.auth=false', async () => {
    await using server = await relay({ admit: () => true })
    await using nobody = await open(server.address)
    await nobody.send(mail, { signal: signal() })
    const properties = { 'mail.smtp.auth': 'false', Authentication: 'BasicAuthentication' }
    await using told = await open(server.address, { properties, context: { credentials: basic } })
    await told.send(mail, { signal: signal() })
    expect(server.messages()).toHaveLength(2)
    expect(server.lines().filter((line) => /AUTH/i.test(line))).toEqual([])
  })

  it.each([
    [undefined, `PLAIN \0robot\0${password}`],
    ['LOGIN', `LOGIN robot ${password}`],
    ['CRAM-MD5 LOGIN PLAIN', `LOGIN robot ${password}`],
    ['DIGEST-MD5 PLAIN', `PLAIN \0robot\0${password}`],
  ])('with the mechanisms %s presents the password by the first that the server has', async (mechanisms, expected) => {
    const presented: string[] = []
    await using server = await relay({
      admit: (mechanism, response) => {
        presented.push(`${mechanism} ${response}`)
        return true
      },
    })
    const properties = mechanisms === undefined ? {} : { 'mail.smtp.auth.mechanisms': mechanisms }
    await using client = await open(server.address, { properties, context: { credentials: basic } })
    await client.send(mail, { signal: signal() })
    expect(presented).toEqual([expected])
  })

  it('does not go on as nobody where the server lets nobody log on', async () => {
    await using server = await relay()
    await using client = await open(server.address, { context: { credentials: basic } })
    await expect(client.send(mail, { signal: signal() })).rejects.toMatchObject({
      code: 'OPERATION_REFUSED',
      message: expect.stringContaining('starttls.required'),
    })
    expect(server.lines().filter((line) => line.startsWith('MAIL'))).toEqual([])
    await server.network.idle()
  })

  it('PR-008 a refused password is LOGON_REFUSED, with the server’s answer and without what the server gives back', async () => {
    const line = Buffer.from(`\0robot\0${password}`).toString('base64')
    await using server = await relay({
      admit: () => false,
      answer: (text) => (text.startsWith('AUTH') ? `535 5.7.8 not ${password} and not ${line}` : undefined),
    })
    const lines: unknown[] = []
    const log = { ...silentLogger, debug: (...entry: unknown[]) => void lines.push(entry) }
    await using client = await open(server.address, { properties: { 'mail.debug': 'true' }, context: { credentials: basic, log } })
    const error = await reasonOf(client.send(mail, { signal: signal() }))
    expect(error).toMatchObject({
      code: 'LOGON_REFUSED',
      details: { responseCode: 535, enhancedCode: '5.7.8', response: '535 5.7.8 not [redacted] and not [redacted]' },
    })
    expect(inspect(lines, { depth: 20 })).toContain('AUTH PLAIN')
    for (const secret of [password, line, Buffer.from(password).toString('base64')]) {
      expect(shown(error)).not.toContain(secret)
      expect(inspect(lines, { depth: 20 })).not.toContain(secret)
    }
  })

  it('a log-on that the server puts off can be tried again, and a password is not renewed', async () => {
    await using server = await relay({ admit: () => true, answer: (line) => (line.startsWith('AUTH') ? '454 4.7.0 later' : undefined) })
    const renewCredentials = (): never => expect.unreachable('a password is not renewed')
    await using client = await open(server.address, { context: { credentials: basic, renewCredentials } })
    const error = await reasonOf(client.send(mail, { signal: signal() }))
    expect(error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', traits: { retryable: true } })
    expect(server.sessions).toHaveLength(1)
  })
})

describe('a token', () => {
  const bearer = (token: string): Credentials => ({ kind: 'header', name: 'Authorization', value: createSecret(`Bearer ${token}`) })
  const oauth = { Authentication: 'OAuth2ClientCredentials', 'mail.user': 'robot@acme.test' }
  const good = (token: string) => (mechanism: string, response: string) =>
    mechanism === 'XOAUTH2' && response === `user=robot@acme.test\u0001auth=Bearer ${token}\u0001\u0001`

  it('PR-036 that is refused is renewed exactly once, and presented on one new connection', async () => {
    await using server = await relay({ admit: good('fresh') })
    let renewals = 0
    const renewCredentials = async (): Promise<Credentials> => {
      renewals += 1
      return bearer('fresh')
    }
    await using client = await open(server.address, { properties: oauth, context: { credentials: bearer('stale'), renewCredentials } })
    await client.send([mail, mail, mail], { parallel: false })
    expect(renewals).toBe(1)
    expect(server.messages()).toHaveLength(3)
    expect(server.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('AUTH XOAUTH2 ')).length)).toEqual([1, 1])
    // The empty line answers the challenge with which the server explains itself.
    expect(server.sessions[0]?.lines).toContain('')

    await using never = await relay({ admit: () => false })
    await using refused = await open(never.address, { properties: oauth, context: { credentials: bearer('stale'), renewCredentials } })
    const error = await reasonOf(refused.send(mail, { signal: signal() }))
    expect(error).toMatchObject({ code: 'LOGON_REFUSED', details: { responseCode: 535 } })
    expect(renewals).toBe(2)
    expect(never.sessions).toHaveLength(2)
    expect(shown(error)).not.toMatch(/stale|fresh/)
    await never.network.idle()
  })

  it('that has expired is not presented', async () => {
    await using server = await relay({ admit: good('fresh') })
    const expired = { ...bearer('stale'), expiresAtMs: 1 } as Credentials
    const renewCredentials = async (): Promise<Credentials> => bearer('fresh')
    await using client = await open(server.address, { properties: oauth, context: { credentials: expired, renewCredentials } })
    await client.send(mail, { signal: signal() })
    expect(server.sessions).toHaveLength(1)
  })
})

describe('senders and recipients', () => {
  const from = { 'mail.smtp.from': 'first@acme.test', 'mail.smtps.from': 'second@acme.test', 'mail.from': 'third@acme.test' }

  it('PR-043 a message without sender has that of mail.smtp.from, mail.<p>.from or mail.from, in the envelope and in its head', async () => {
    const orders = [
      [{}, 'first@acme.test'],
      [{ 'mail.smtp.from': '' }, 'second@acme.test'],
      [{ 'mail.smtp.from': '', 'mail.smtps.from': '' }, 'third@acme.test'],
    ] as const
    for (const [properties, expected] of orders) {
      await using server = await relay({ tls: { ...identity, implicit: true } })
      await using client = await open(server.address, { properties: { 'mail.transport.protocol': 'smtps', ...from, ...properties } })
      await client.send(mail, { signal: signal() })
      await client.send({ ...mail, from: 'own@acme.test' }, { signal: signal() })
      await client.send({ ...mail, envelope: { to: 'jane@acme.test' } }, { signal: signal() })
      expect(server.messages().map((message) => message.from)).toEqual([expected, 'own@acme.test', expected])
      expect(server.messages()[0]?.text).toContain(`From: ${expected}`)
    }
  })

  it('a message from nobody is sent when its envelope says so, and not when somebody forgot', async () => {
    await using server = await relay()
    await using client = await open(server.address, { properties: { 'mail.from': '' } })
    await expect(client.send(mail, { signal: signal() })).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
    expect(server.messages()).toEqual([])
    const notice = { ...mail, from: 'daemon@acme.test', envelope: { from: '', to: 'jane@acme.test' } }
    await client.send(notice, { signal: signal() })
    expect(server.lines()).toContain('MAIL FROM:<>')
  })

  it.each([['with pipelining', ['PIPELINING']] as const, ['one by one', []] as const])(
    'PR-044 rejected recipients are listed, and the message goes to the others, %s',
    async (_what, extensions) => {
      await using server = await relay({
        extensions,
        answer: (line) =>
          line.includes('nobody@') ? '550 5.1.1 no such user' : line.includes('later@') ? '450 4.2.1 mailbox busy' : undefined,
      })
      await using client = await open(server.address)
      const to = ['jane@acme.test', 'nobody@acme.test', 'later@acme.test', 'john@acme.test']
      const outcome = await client.send({ ...mail, to }, { signal: signal() })
      expect(outcome).toMatchObject({
        accepted: ['jane@acme.test', 'john@acme.test'],
        rejected: [
          { recipient: 'nobody@acme.test', responseCode: 550, response: '550 5.1.1 no such user', retryable: false },
          { recipient: 'later@acme.test', responseCode: 450, response: '450 4.2.1 mailbox busy', retryable: true },
        ],
        queueId: 'T1',
        envelope: { from: 'robot@acme.test', to },
      })
      expect(server.messages()).toMatchObject([{ to: ['jane@acme.test', 'john@acme.test'] }])
    },
  )

  it('a message that nobody may get is refused, and the connection goes on to the next', async () => {
    await using server = await relay({ answer: (line) => (line.includes('nobody@') ? '550 5.1.1 <nobody@acme.test> unknown' : undefined) })
    await using client = await open(server.address)
    const error = await reasonOf(client.send({ ...mail, to: 'nobody@acme.test' }, { signal: signal() }))
    expect(error).toMatchObject({
      code: 'OPERATION_REFUSED',
      message: expect.not.stringContaining('nobody@'),
      details: { responseCode: 550, rejected: 'nobody@acme.test', response: '550 5.1.1 <nobody@acme.test> unknown' },
    })
    await client.send(mail, { signal: signal() })
    expect(server.sessions).toHaveLength(1)
    expect(server.messages()).toHaveLength(1)
  })

  it.each([
    ['MAIL', '552 5.2.3 too large', 'OPERATION_REFUSED'],
    ['MAIL', '451 4.3.0 try later', 'SERVICE_UNAVAILABLE'],
    ['.', '554 5.7.1 looks like spam', 'OPERATION_REFUSED'],
    ['.', '452 4.3.1 no space', 'SERVICE_UNAVAILABLE'],
    ['DATA', '421 4.3.2 shutting down', 'SERVICE_UNAVAILABLE'],
  ])('an answer to %s of %s is %s with that answer', async (to, answer, code) => {
    await using server = await relay({ extensions: [], answer: (line) => (line === to || line.startsWith(`${to} `) ? answer : undefined) })
    await using client = await open(server.address)
    const error = await reasonOf(client.send(mail, { signal: signal() }))
    expect(error).toMatchObject({ code, details: { response: answer, responseCode: Number(answer.slice(0, 3)) } })
  })

  it('a line break in an address or a header begins no command and no header', async () => {
    await using server = await relay()
    await using client = await open(server.address)
    await client
      .send(
        {
          ...mail,
          subject: 'x\r\nBcc: eve@evil.test',
          to: ['jane@acme.test', { name: 'x\r\nBcc: eve@evil.test', address: 'a@b\r\nRCPT TO:<eve@evil.test>' }],
        },
        { signal: signal() },
      )
      .catch(() => {})
    expect(server.lines().filter((line) => line.startsWith('RCPT TO:<eve'))).toEqual([])
    expect(server.messages().some(({ text }) => /^Bcc: eve/m.test(text))).toBe(false)
  })

  it('asks for the notices of the destination, and for those of the message rather', async () => {
    await using server = await relay({ extensions: ['DSN'] })
    const properties = { 'mail.smtp.dsn.notify': 'SUCCESS,FAILURE', 'mail.smtp.dsn.ret': 'HDRS' }
    await using client = await open(server.address, { properties })
    await client.send(mail, { signal: signal() })
    await client.send({ ...mail, dsn: { notify: 'NEVER' } }, { signal: signal() })
    const asked = server.lines().filter((line) => /^(MAIL|RCPT)/.test(line))
    expect(asked[0]).toContain('RET=HDRS')
    expect(asked[1]).toContain('NOTIFY=SUCCESS,FAILURE')
    expect(asked[3]).toContain('NOTIFY=NEVER')
  })
})

describe('connections', () => {
  it('PR-042 pooled sending opens at most maxConnections streams, and closes them with the client', async () => {
    await using server = await relay()
    const streams = { now: 0, most: 0, total: 0 }
    const dial: Dial = async (address, options) => {
      const stream = await createDirectDial()(address, options)
      streams.total += 1
      streams.now += 1
      streams.most = Math.max(streams.most, streams.now)
      stream.once('close', () => (streams.now -= 1))
      return stream
    }
    const client = await open(server.address, { maxConnections: 3, context: { dial } })
    expect(streams.total).toBe(0)
    const outcomes = await client.send(Array.from({ length: 20 }, () => mail))
    expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'fulfilled'))
    expect(streams).toMatchObject({ most: 3, total: 3, now: 3 })
    await client[Symbol.asyncDispose]()
    await server.network.idle()
    expect(streams.now).toBe(0)
    expect(server.sessions.map(({ lines }) => lines.at(-1))).toEqual(['QUIT', 'QUIT', 'QUIT'])
    expect(server.messages()).toHaveLength(20)
  })

  it('one that fails does not stop the others, in parallel or one after the other', async () => {
    await using server = await relay({ answer: (line) => (line.includes('nobody@') ? '550 5.1.1 no' : undefined) })
    await using client = await open(server.address)
    for (const parallel of [true, false]) {
      const outcomes = await client.send([mail, { ...mail, to: 'nobody@acme.test' }, mail], { parallel })
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    }
  })

  it('an idle connection that the server has ended, with or without a word, is not used again', async () => {
    const clock = createManualClock()
    await using server = await relay((connection) => ({
      // The second connection does not answer any more once it has been idle; nobody is told.
      answer: (line, { messages }) => (connection === 1 && messages.length > 0 && line === 'RSET' ? null : undefined),
    }))
    await using client = await open(server.address, { clock })
    await client.send(mail, { signal: signal() })
    const [first] = server.ends
    if (first === undefined) throw new Error('there is no connection')
    const closed = once(first.stream, 'close')
    first.stream.end('421 4.4.2 idle for too long\r\n')
    await closed
    await client.send(mail, { signal: signal() })
    clock.advance(1500)
    const attachments = [{ filename: 'a.txt', content: Readable.from(['read ', 'once']) }]
    await client.send({ ...mail, attachments }, { signal: signal() })
    expect(server.sessions.map(({ messages }) => messages.length)).toEqual([1, 1, 1])
    await client.send(mail, { signal: signal() })
    expect(server.sessions).toHaveLength(3)
  })

  it.each(['MAIL', 'DATA', '.'])('nothing is sent twice when a new connection breaks at %s', async (at) => {
    await using server = await relay({ extensions: [], answer: (line) => (line.startsWith(at) ? null : undefined) })
    await using client = await open(server.address)
    const error = await reasonOf(client.send(mail, { signal: signal() }))
    expect(error).toMatchObject({ code: 'BACKEND_UNREACHABLE', details: at === '.' ? { outcome: 'unknown' } : {} })
    expect((error as ConnectivityError).details['outcome']).toBe(at === '.' ? 'unknown' : undefined)
    expect(server.sessions).toHaveLength(1)
    await server.network.idle()
  })

  it.each(['greeting', 'EHLO', 'MAIL', '.'])(
    'a server that is silent instead of answering %s costs one limit, and nothing stays open',
    async (at) => {
      await using server = await relay({
        extensions: [],
        ...(at === 'greeting' ? { greeting: '220-' } : {}),
        answer: (line) => (line === at || line.startsWith(`${at} `) ? '' : undefined),
      })
      const properties = { 'mail.smtp.connectiontimeout': '150', 'mail.smtp.timeout': '150' }
      await using client = await open(server.address, { properties })
      const error = await reasonOf(client.send(mail, { signal: signal() }))
      expect(error).toMatchObject({ code: expect.stringMatching(/^(DEADLINE_EXCEEDED|BACKEND_TIMEOUT)$/) })
      await server.network.idle()
    },
  )

  it('a server that answers letter by letter for ever is given up', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve(({ stream }) => {
      stream.on('error', () => clearInterval(timer))
      stream.on('close', () => clearInterval(timer))
      stream.resume()
      stream.write('220 relay.test\r\n')
      const timer = setInterval(() => stream.write('2'), 5)
    })
    const properties = { 'mail.smtp.connectiontimeout': '200', 'mail.smtp.timeout': '100' }
    await using client = await open(address, { properties })
    await expect(client.send(mail, { signal: signal() })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await network.idle()
  })

  it('a coalesced dialogue is understood, and so is one of single bytes', async () => {
    for (const byByte of [false, true]) {
      await using network = createSocketNetwork()
      const address = await network.serve((far) => {
        const slow = new PassThrough()
        const { stream } = far
        const write = stream.write.bind(stream) as (chunk: string | Buffer) => boolean
        if (byByte) {
          stream.write = ((chunk: string) => {
            for (const letter of Buffer.from(chunk)) slow.write(Buffer.of(letter))
            return true
          }) as typeof stream.write
          slow.on('data', (chunk: Buffer) => void write(chunk))
        }
        serveRelay(far)
      })
      await using client = await open(address)
      expect(await client.send(mail, { signal: signal() })).toMatchObject({ accepted: ['jane@acme.test'] })
    }
  })

  it('PR-013 a transport that breaks is the reason, and keeps its code', async () => {
    await using server = await relay({ extensions: [] })
    const lost = new ConnectivityError('TUNNEL_LOST', 'the tunnel is gone')
    const dial: Dial = async (address, options) => {
      const stream = await createDirectDial()(address, options)
      server.ends[0]?.stream.on('data', (chunk: Buffer) => chunk.includes('DATA') && stream.destroy(lost))
      return stream
    }
    await using client = await open(server.address, { context: { dial } })
    expect(await reasonOf(client.send(mail, { signal: signal() }))).toMatchObject({ code: 'TUNNEL_LOST' })
    expect(lost.code).toBe('TUNNEL_LOST')
  })

  it('PR-009 the host of the destination goes to the dial as it is written, and to no resolver', async () => {
    const resolvers = [vi.spyOn(dns, 'lookup'), vi.spyOn(dns, 'resolve4'), vi.spyOn(dns, 'resolve6'), vi.spyOn(dns.promises, 'lookup')]
    const dialled: Address[] = []
    const dial: Dial = async (address) => {
      dialled.push(address)
      const [near, far] = createMemoryPair()
      serveRelay({ stream: far, reset: () => far.destroy() }, { tls: identity })
      return near
    }
    const properties = { 'mail.smtp.starttls.required': 'true' }
    await using client = await open({ host: 'Relay.Virtual', port: 25 }, { properties, context: { dial } })
    await client.send(mail, { signal: signal() })
    expect(dialled).toEqual([{ host: 'Relay.Virtual', port: 25 }])
    expect(resolvers.flatMap((resolver) => resolver.mock.calls)).toEqual([])
    for (const resolver of resolvers) resolver.mockRestore()
  })

  it.each([
    ['in the clear', {}, {}],
    ['with STARTTLS', { tls: identity }, { 'mail.smtp.starttls.required': 'true' }],
    ['with TLS', { tls: { ...identity, implicit: true } }, { 'mail.transport.protocol': 'smtps' }],
  ])('a stream of a tunnel, which is no socket, carries mail %s', async (_what, options, properties) => {
    const sessions: RelaySession[] = []
    const dial: Dial = async () => {
      const [near, far] = createMemoryPair()
      sessions.push(serveRelay({ stream: far, reset: () => far.destroy() }, options))
      return near
    }
    await using client = await open({ host: 'relay.acme.test', port: 25 }, { properties, context: { dial } })
    await client.send(mail, { signal: signal() })
    expect(sessions.flatMap(({ messages }) => messages)).toHaveLength(1)
  })
})

describe('messages', () => {
  it('that name files or URLs are refused, unless the adapter may read them', async () => {
    await using server = await relay()
    await using client = await open(server.address)
    for (const content of [
      { path: import.meta.filename },
      { href: 'http://127.0.0.1:9/metadata' },
      { path: 'http://127.0.0.1:9/metadata' },
    ]) {
      const error = await reasonOf(client.send({ ...mail, attachments: [content] }, { signal: signal() }))
      expect(error).toMatchObject({ code: 'MESSAGE_INVALID', message: expect.stringMatching(/fileAccess|urlAccess/) })
    }
    expect(server.messages()).toEqual([])
    await using reader = await open(server.address, { fileAccess: true })
    await reader.send({ ...mail, attachments: [{ path: import.meta.filename }] }, { signal: signal() })
    expect(server.messages()).toHaveLength(1)
  })

  it('whose content breaks while it is sent do not arrive', async () => {
    await using server = await relay()
    await using client = await open(server.address)
    const content = new Readable({
      read() {
        this.push('half of')
        this.destroy(new Error('the disk is gone'))
      },
    })
    const error = await reasonOf(client.send({ ...mail, attachments: [{ filename: 'a', content }] }, { signal: signal() }))
    expect(error).toMatchObject({ code: 'MESSAGE_INVALID' })
    expect(server.messages()).toEqual([])
    await client.send(mail, { signal: signal() })
    expect(server.messages()).toHaveLength(1)
  })

  it('are ended by their signal, and by the end of the client, wherever they are', async () => {
    const { promise: arrived, resolve } = Promise.withResolvers<void>()
    await using server = await relay({
      answer(line) {
        if (line !== '.') return undefined
        resolve()
        return ''
      },
    })
    const client = await open(server.address, { maxConnections: 1 })
    const aborter = new AbortController()
    const sending = reasonOf(client.send(mail, { signal: aborter.signal }))
    const waiting = reasonOf(client.send(mail))
    await arrived
    aborter.abort()
    expect(await sending).toMatchObject({ code: 'ABORTED' })
    await client[Symbol.asyncDispose]()
    expect(await waiting).toMatchObject({ code: 'ABORTED' })
    await expect(client.send(mail)).rejects.toMatchObject({ code: 'ABORTED' })
    await server.network.idle()
  })

  it('go through nodemailer’s own object with its plugins and its shape of outcomes', async () => {
    await using server = await relay()
    await using client = await open(server.address)
    client.transporter.use('compile', (message, done) => {
      message.data.headers = { 'X-Plugin': 'was here' }
      done()
    })
    const info = await client.transporter.sendMail(mail)
    expect(info).toMatchObject({ accepted: ['jane@acme.test'], rejected: [], envelope: { to: ['jane@acme.test'] }, queueId: 'T1' })
    expect(server.messages()[0]?.text).toContain('X-Plugin: was here')
    expect(await client.transporter.verify()).toBe(true)
  })
})
