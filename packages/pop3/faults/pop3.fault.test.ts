import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import {
  type Address,
  type ConnectContext,
  createSecret,
  type Credentials,
  type LogFields,
  type Logger,
  type MailDestination,
  parseDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createSocketNetwork, createTestCa, type FarEnd } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { type MailboxScript, playMailbox, storedMessage } from '@sallyport/conformance/backends'
import { createPop3Adapter, type Pop3AdapterOptions, type Pop3Client } from '../src/index.ts'

const password = 'p4ss-w0rd-of-the-user'
const basic: Credentials = { kind: 'basic', user: 'jane', password: createSecret(password) }
const bearer = (token: string): Credentials => ({ kind: 'header', name: 'Authorization', value: createSecret(`Bearer ${token}`) })
const signal = (): AbortSignal => AbortSignal.timeout(8000)
const network = (): ReturnType<typeof createSocketNetwork> => createSocketNetwork()

interface Opening {
  readonly properties?: Readonly<Record<string, string>>
  readonly context?: Partial<ConnectContext>
  readonly options?: Partial<Pop3AdapterOptions>
}

function open({ host, port }: Address, { properties = {}, context = {}, options = {} }: Opening = {}): Promise<Pop3Client> {
  const destination = parseDestination({
    Name: 'INBOX',
    Type: 'MAIL',
    'mail.pop3.host': host,
    'mail.pop3.port': String(port),
    'mail.user': 'jane',
    ...properties,
  }) as MailDestination
  return createPop3Adapter({ clock: systemClock, ...options }).connect(destination, {
    dial: createDirectDial(),
    credentials: { kind: 'none' },
    signal: signal(),
    log: silentLogger,
    ...context,
  })
}

/** A mailbox that notes what every connection sends. */
function mailbox(script: MailboxScript, sent: string[][] = []): (far: FarEnd) => void {
  return ({ stream }) => void sent.push(playMailbox(stream, script))
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

describe('the logon', () => {
  it('PR-054 follows CAPA: AUTH PLAIN where it is offered, USER and PASS where it is not, nothing where neither is', async () => {
    await using net = network()
    const attempt = async (capabilities: readonly string[] | undefined): Promise<readonly string[]> => {
      const sent: string[][] = []
      await using client = await open(await net.serve(mailbox({ capabilities }, sent)), { context: { credentials: basic } })
      await client.stat().catch(() => {})
      return sent.flat().filter((line) => /^(CAPA|AUTH|USER|PASS|STAT)/.test(line))
    }
    const plain = `AUTH PLAIN ${Buffer.from(`\0jane\0${password}`).toString('base64')}`
    expect(await attempt(['USER', 'SASL PLAIN'])).toEqual(['CAPA', plain, 'CAPA', 'STAT'])
    expect(await attempt(['USER'])).toEqual(['CAPA', 'USER jane', `PASS ${password}`, 'CAPA', 'STAT'])
    // -ERR to CAPA: a server of 1996.
    expect(await attempt(undefined)).toEqual(['CAPA', 'USER jane', `PASS ${password}`, 'CAPA', 'STAT'])
    expect(await attempt(['STLS'])).toEqual(['CAPA'])
  })

  it('is LOGON_REFUSED before anything secret is sent where no way fits', async () => {
    await using net = network()
    await using client = await open(await net.serve(mailbox({ capabilities: ['STLS', 'SASL GSSAPI'] })), {
      context: { credentials: basic },
    })
    await expect(client.stat()).rejects.toMatchObject({
      code: 'LOGON_REFUSED',
      message: expect.stringContaining('the server offers GSSAPI'),
    })
  })

  it('sends a response behind the prompt that is too long for a command line', async () => {
    await using net = network()
    const sent: string[][] = []
    const long = 'x'.repeat(3000)
    const address = await net.serve(mailbox({ capabilities: ['SASL PLAIN XOAUTH2'], opens: () => true }, sent))
    await using client = await open(address, {
      properties: { Authentication: 'OAuth2ClientCredentials' },
      context: { credentials: bearer(long) },
    })
    await client.stat()
    const response = Buffer.from(`user=jane\u0001auth=Bearer ${long}\u0001\u0001`).toString('base64')
    expect(sent[0]?.slice(1, 3)).toEqual(['AUTH XOAUTH2', response])
  })

  it('PR-036 with a refused token fetches one new token and makes one new connection, then it gives up', async () => {
    await using net = network()
    const sent: string[][] = []
    const challenge = Buffer.from('{"status":"401"}').toString('base64')
    const accepted = new Set(['fresh'])
    const address = await net.serve((far) => {
      let challenged = false
      sent.push(
        playMailbox(far.stream, {
          capabilities: ['SASL XOAUTH2'],
          answer(line, say) {
            if (challenged) {
              challenged = false
              say('-ERR [AUTH] no\r\n')
              return true
            }
            const presented = /^AUTH XOAUTH2 (.+)$/.exec(line)?.[1]
            if (presented === undefined) return false
            const token = /Bearer ([\w-]+)/.exec(Buffer.from(presented, 'base64').toString())?.[1] ?? ''
            challenged = !accepted.has(token)
            say(challenged ? `+ ${challenge}\r\n` : '+OK\r\n')
            return true
          },
        }),
      )
    })
    let renewed = 0
    const opening = (next: string): Opening => ({
      properties: { Authentication: 'OAuth2ClientCredentials' },
      context: {
        credentials: bearer('stale'),
        renewCredentials: async () => {
          renewed += 1
          return bearer(next)
        },
      },
    })
    await using client = await open(address, opening('fresh'))
    await client.stat()
    expect([renewed, sent.length]).toEqual([1, 2])
    // XOAUTH2 wants an empty line behind the challenge.
    expect(sent[0]?.slice(2)).toEqual([''])
    await using hopeless = await open(address, opening('also-stale'))
    await expect(hopeless.stat()).rejects.toMatchObject({ code: 'LOGON_REFUSED', details: { responseCode: 'AUTH' } })
    expect([renewed, sent.length]).toEqual([2, 4])
  })

  it.each([
    ['-ERR [IN-USE] another session\r\n', 'SERVICE_UNAVAILABLE'],
    ['-ERR [LOGIN-DELAY] wait\r\n', 'SERVICE_UNAVAILABLE'],
    ['-ERR [SYS/TEMP] later\r\n', 'SERVICE_UNAVAILABLE'],
    ['-ERR [SYS/PERM] never\r\n', 'OPERATION_REFUSED'],
    ['-ERR [AUTH] no\r\n', 'LOGON_REFUSED'],
    ['-ERR no\r\n', 'LOGON_REFUSED'],
  ])('refused with %j is %s', async (answer, code) => {
    await using net = network()
    const address = await net.serve(mailbox({ answer: (line, say) => line.startsWith('AUTH') && (say(answer), true) }))
    await using client = await open(address, { context: { credentials: basic } })
    await expect(client.stat()).rejects.toMatchObject({ code })
    await net.idle()
  })

  it('with APOP, on request, sends a digest and no password', async () => {
    await using net = network()
    const sent: string[][] = []
    // RFC 1939 §7.
    const address = await net.serve(mailbox({ greeting: '+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n' }, sent))
    await using client = await open(address, {
      properties: { 'mail.pop3.auth.mechanisms': 'APOP' },
      context: { credentials: { kind: 'basic', user: 'mrose', password: createSecret('tanstaaf') } },
    })
    await client.stat()
    expect(sent[0]).toContain('APOP mrose c4c9334bac560ecc979e58001b3e22fb')
  })

  it('PR-055 with a line end in user or password reaches nobody', async () => {
    await using net = network()
    const sent: string[][] = []
    const address = await net.serve(mailbox({ capabilities: ['USER'] }, sent))
    for (const [user, secret] of [
      ['jane\r\nDELE 1', password],
      ['jane', `${password}\r\nDELE 1`],
      ['jane', `${password}\nQUIT`],
    ] as const) {
      await using client = await open(address, { context: { credentials: { kind: 'basic', user, password: createSecret(secret) } } })
      const error: unknown = await client.stat().catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'MESSAGE_INVALID' })
      expect(inspect(error)).not.toContain(password)
    }
    expect(sent.flat()).toEqual(['CAPA', 'CAPA', 'CAPA'])
  })

  it('writes other letters than ASCII where the server has agreed to UTF-8 for users, and else says so', async () => {
    await using net = network()
    const credentials: Credentials = { kind: 'basic', user: 'jürgen', password: createSecret('größe') }
    const sent: string[][] = []
    await using client = await open(await net.serve(mailbox({ capabilities: ['USER', 'UTF8 USER'] }, sent)), { context: { credentials } })
    await client.stat()
    expect(sent[0]).toEqual(['CAPA', 'UTF8', 'USER jürgen', 'PASS größe', 'CAPA', 'STAT'])
    await using refused = await open(await net.serve(mailbox({ capabilities: ['USER', 'UTF8'] })), { context: { credentials } })
    await expect(refused.stat()).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
  })
})

describe('STLS', () => {
  const ca = createTestCa()
  const certificate = ca.issue({ subject: '/CN=mail.acme.test', names: ['mail.acme.test'] })
  const options = { tls: { ca: [ca.certificate], servername: 'mail.acme.test' } }
  const required = { 'mail.pop3.starttls.required': 'true' }
  /** Agrees to STLS with `answer`, and goes on in TLS. */
  const securing =
    (answer: string, plain: string[], sent: string[][]) =>
    ({ stream }: FarEnd): void => {
      stream.write('+OK ready\r\n')
      stream.on('error', () => {})
      stream.on('data', function onData(chunk: Buffer) {
        const line = chunk.toString().trim()
        plain.push(line)
        if (line === 'CAPA') stream.write('+OK\r\nSTLS\r\nSASL LOGIN\r\n.\r\n')
        else {
          stream.off('data', onData)
          stream.write(answer)
          const secured = new TLSSocket(stream, { isServer: true, cert: certificate.certificate, key: certificate.key })
          secured.on('error', () => stream.destroy()).on('close', () => stream.destroy())
          secured.on('end', () => secured.destroy())
          // There is no greeting in TLS.
          secured.once('data', (first: Buffer) => {
            sent.push(playMailbox(secured, { greeting: '' }))
            secured.unshift(first)
          })
        }
      })
    }

  it('PR-037 that is required and not offered, or refused, fails before anything secret is sent', async () => {
    await using net = network()
    for (const script of [
      { capabilities: ['USER', 'SASL PLAIN'] },
      { capabilities: undefined },
      { capabilities: ['STLS', 'USER'], answer: (line: string, say: (t: string) => void) => line === 'STLS' && (say('-ERR no\r\n'), true) },
    ] satisfies MailboxScript[]) {
      const sent: string[][] = []
      await using client = await open(await net.serve(mailbox(script, sent)), { properties: required, context: { credentials: basic } })
      await expect(client.stat()).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
      expect(sent.flat().filter((line) => line !== 'CAPA' && line !== 'STLS')).toEqual([])
    }
    await net.idle()
  })

  it('PR-038 that is enabled is used where it is offered, and missed nowhere', async () => {
    await using net = network()
    const enabled = { 'mail.pop3.starttls.enable': 'true' }
    const [plain, sent]: [string[], string[][]] = [[], []]
    await using client = await open(await net.serve(securing('+OK go\r\n', plain, sent)), {
      properties: enabled,
      context: { credentials: basic },
      options,
    })
    expect(await client.stat()).toEqual({ messages: 1, bytes: storedMessage.length })
    expect(plain).toEqual(['CAPA', 'STLS'])
    expect(sent[0]).toContain('STAT')
    const openly: string[][] = []
    await using without = await open(await net.serve(mailbox({}, openly)), { properties: enabled, context: { credentials: basic } })
    await without.stat()
    expect(openly[0]).toContain('STAT')
  })

  it('PR-052 throws away what comes in plain behind the agreement, and asks anew for capabilities', async () => {
    await using net = network()
    const [plain, sent]: [string[], string[][]] = [[], []]
    const warnings: string[] = []
    const log: Logger = { ...silentLogger, warn: (_fields: LogFields, message: string) => void warnings.push(message) }
    // What somebody in between would like to be taken for the answers to CAPA, AUTH and CAPA.
    const injected = '+OK go\r\n+OK\r\nSASL PLAIN\r\n.\r\n+OK welcome\r\n+OK\r\n.\r\n'
    await using client = await open(await net.serve(securing(injected, plain, sent)), {
      properties: required,
      context: { credentials: basic, log },
      options,
    })
    expect(await client.stat()).toEqual({ messages: 1, bytes: storedMessage.length })
    expect(sent[0]?.map((line) => line.split(' ')[0])).toEqual(['CAPA', 'AUTH', 'CAPA', 'STAT'])
    expect(warnings.join()).toContain('plaintext behind the answer to STLS')
  })

  it('with a certificate of another name is BACKEND_UNTRUSTED, and the password stays here', async () => {
    await using net = network()
    const [plain, sent]: [string[], string[][]] = [[], []]
    const address = await net.serve(securing('+OK go\r\n', plain, sent))
    await using client = await open(address, {
      properties: required,
      context: { credentials: basic },
      options: { tls: { ca: [ca.certificate], servername: 'another.acme.test' } },
    })
    await expect(client.stat()).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
    expect([...plain, ...sent.flat()]).toEqual(['CAPA', 'STLS'])
    await net.idle()
  })
})

describe('a session', () => {
  it('PR-053 deletes by QUIT and by nothing else', async () => {
    await using net = network()
    const sent: string[][] = []
    const address = await net.serve(mailbox({}, sent))
    {
      await using client = await open(address)
      await client.dele(1)
      await client.close()
      await client.dele(1)
    }
    {
      await using client = await open(address)
      await client.dele(1)
      await client.quit()
    }
    expect(sent.map((lines) => lines.filter((line) => line !== 'CAPA'))).toEqual([['DELE 1'], ['DELE 1'], ['DELE 1', 'QUIT']])
  })

  it('PR-053 says so when the marked messages could not be deleted', async () => {
    await using net = network()
    const refusing = await net.serve(
      mailbox({ answer: (line, say) => line === 'QUIT' && (say('-ERR some deleted messages not removed\r\n'), true) }),
    )
    await using client = await open(refusing)
    await client.dele(1)
    await expect(client.quit()).rejects.toMatchObject({ code: 'OPERATION_REFUSED' })
    const dying = await net.serve((far) => void playMailbox(far.stream, { answer: (line) => line === 'QUIT' && (far.reset(), true) }))
    await using unlucky = await open(dying)
    await unlucky.dele(1)
    await expect(unlucky.quit()).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' })
  })

  it('that is lost is not replaced unasked, because message numbers would mean something else', async () => {
    await using net = network()
    const ends: FarEnd[] = []
    const address = await net.serve((far) => {
      ends.push(far)
      playMailbox(far.stream)
    })
    await using client = await open(address)
    await client.list()
    ends[0]?.reset()
    await expect(client.noop()).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' })
    await expect(client.dele(1)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', message: expect.stringContaining('open()') })
    await client.ping(signal())
    await expect(client.dele(1)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' })
    await client.open()
    await client.dele(1)
    expect(ends).toHaveLength(3)
  })

  it('does one thing after the other, and nothing while a message is read', async () => {
    await using net = network()
    const sent: string[][] = []
    await using client = await open(await net.serve(mailbox({}, sent)))
    const [stat, list, ids] = await Promise.all([client.stat(), client.list(), client.uidl()])
    expect([stat, list, ids]).toEqual([
      { messages: 1, bytes: storedMessage.length },
      [{ number: 1, bytes: storedMessage.length }],
      [{ number: 1, id: 'id-of-one' }],
    ])
    const message = await client.retr(1)
    await expect(client.dele(1)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
    expect(await text(message)).toBe(storedMessage)
    await client.dele(1)
    expect(sent[0]?.filter((line) => line !== 'CAPA')).toEqual(['STAT', 'LIST', 'UIDL', 'RETR 1', 'DELE 1'])
    expect([await client.list({ number: 1 }), await client.uidl({ number: 1 })]).toEqual([
      [{ number: 1, bytes: storedMessage.length }],
      [{ number: 1, id: 'id-of-one' }],
    ])
  })

  it('ends with a message that is not read to its end', async () => {
    await using net = network()
    await using client = await open(await net.serve(mailbox({})))
    const message = await client.retr(1)
    message.destroy()
    await once(message, 'close')
    await expect(client.stat()).rejects.toMatchObject({ code: 'ABORTED', message: expect.stringContaining('open()') })
    await net.idle()
  })

  it('ends at once when it is closed while the server is silent', async () => {
    await using net = network()
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    await using client = await open(await net.serve(mailbox({ answer: (line) => line === 'STAT' && (resolve(), true) })))
    const waiting = client.stat().catch((error: unknown) => error)
    const queued = client.list().catch((error: unknown) => error)
    await asked
    await client.close()
    expect([await waiting, await queued]).toMatchObject([{ code: 'ABORTED' }, { code: 'ABORTED' }])
    await net.idle()
  })

  it('gives up on a server that is silent for longer than mail.pop3.timeout, also in the middle of a message', async () => {
    await using net = network()
    const properties = { 'mail.pop3.timeout': '80' }
    await using client = await open(await net.serve(mailbox({ answer: (line) => line === 'STAT' })), { properties })
    await expect(client.stat()).rejects.toMatchObject({ code: 'BACKEND_TIMEOUT' })
    const halting = await net.serve(mailbox({ answer: (line, say) => line === 'RETR 1' && (say('+OK\r\nhalf a '), true) }))
    await using other = await open(halting, { properties })
    await expect(text(await other.retr(1))).rejects.toMatchObject({ code: 'BACKEND_TIMEOUT' })
    await using silent = await open(await net.serve(({ stream }) => void stream.on('end', () => stream.end()).resume()), {
      properties: { 'mail.pop3.connectiontimeout': '80' },
    })
    await expect(silent.stat()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await net.idle()
  })

  it('PR-008 shows no password that the server gives back, in no error and no log', async () => {
    await using net = network()
    const lines: unknown[] = []
    const note = (fields: LogFields, message: string): void => void lines.push(fields, message)
    const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log }
    const base64 = Buffer.from(`\0jane\0${password}`).toString('base64')
    const address = await net.serve(
      mailbox({
        capabilities: ['USER'],
        answer: (line, say) =>
          line.startsWith('PASS') && (say(`-ERR not ${password}, ${Buffer.from(password).toString('base64')}\u001b\r\n`), true),
      }),
    )
    await using client = await open(address, { properties: { 'mail.debug': 'true' }, context: { credentials: basic, log } })
    const error: unknown = await client.stat().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LOGON_REFUSED', details: { response: 'not [redacted], [redacted] ' } })
    await using plain = await open(await net.serve(mailbox({})), {
      properties: { 'mail.debug': 'true' },
      context: { credentials: basic, log },
    })
    await plain.stat()
    const shown = inspect([error, lines], { depth: 20, showHidden: true }) + JSON.stringify([error, lines])
    for (const secret of [password, base64]) expect(shown).not.toContain(secret)
    expect(shown).toContain('AUTH PLAIN [hidden]')
  })
})

describe('a message', () => {
  it('PR-051 of a gibibyte goes through a small part of the memory, every byte of it', async () => {
    await using net = network()
    const block = Buffer.from(`..${'x'.repeat(1020)}\r\n`.repeat(1024))
    const blocks = 1024
    const address = await net.serve(({ stream }) => {
      playMailbox(stream, {
        answer(line, say) {
          if (line !== 'RETR 1') return false
          say('+OK\r\n')
          const body = Readable.from(
            (function* () {
              for (let index = 0; index < blocks; index += 1) yield block
              yield Buffer.from('.\r\n')
            })(),
          )
          body.pipe(stream, { end: false })
          return true
        },
      })
    })
    await using client = await open(address)
    let bytes = 0
    let highest = 0
    let chunks = 0
    const before = process.memoryUsage().arrayBuffers
    await pipeline(await client.retr(1), async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) {
        bytes += chunk.length
        chunks += 1
        if (chunks % 100 !== 0) continue
        // What nobody holds any more is not held, however late it is collected.
        collectGarbage()
        highest = Math.max(highest, process.memoryUsage().arrayBuffers - before)
      }
    })
    expect(bytes).toBe(blocks * (block.length - 1024))
    expect(highest).toBeLessThan(128 * 1024 * 1024)
    expect(await client.stat()).toEqual({ messages: 1, bytes: storedMessage.length })
  })

  it('stops its server while nobody reads it', async () => {
    await using net = network()
    let written = 0
    const block = Buffer.from(`${'x'.repeat(1022)}\r\n`.repeat(64))
    const address = await net.serve(({ stream }) => {
      playMailbox(stream, {
        answer(line, say) {
          if (line !== 'RETR 1') return false
          say('+OK\r\n')
          const go = (): void => {
            while (written < 64 * 1024 * 1024) {
              written += block.length
              if (!stream.write(block)) return void stream.once('drain', go)
            }
            say('.\r\n')
          }
          go()
          return true
        },
      })
    })
    await using client = await open(address)
    const message = await client.retr(1)
    // Until nothing moves any more: buffers of both sides and of the system are full.
    let last = -1
    while (last !== written) {
      last = written
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(written).toBeLessThan(32 * 1024 * 1024)
    let bytes = 0
    for await (const chunk of message as AsyncIterable<Buffer>) bytes += chunk.length
    expect(bytes).toBe(64 * 1024 * 1024)
  })

  it('larger than the limit is PROTOCOL_VIOLATION, and the session ends', async () => {
    await using net = network()
    await using client = await open(await net.serve(mailbox({})), { options: { maxMessageBytes: 20 } })
    await expect(text(await client.retr(1))).rejects.toMatchObject({ code: 'PROTOCOL_VIOLATION' })
    await net.idle()
  })

  it('that breaks off is an error, and never a short message', async () => {
    await using net = network()
    for (const end of ['end', 'reset'] as const) {
      const address = await net.serve((far) => {
        playMailbox(far.stream, {
          answer(line, say) {
            if (line !== 'RETR 1') return false
            say('+OK\r\nhalf\r\n')
            setImmediate(() => (end === 'end' ? far.stream.end() : far.reset()))
            return true
          },
        })
      })
      await using client = await open(address)
      await expect(text(await client.retr(1)), end).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' })
    }
  })

  it('arrives byte by byte as it is', async () => {
    await using net = network()
    const address = await net.serve(({ stream }) => {
      playMailbox(stream, {
        answer(line) {
          if (line !== 'TOP 1 5') return false
          const bytes = Buffer.from('+OK\r\n..a\r\n.\r\n')
          const next = (at: number): void => {
            if (at < bytes.length) stream.write(bytes.subarray(at, at + 1), () => setImmediate(() => next(at + 1)))
          }
          next(0)
          return true
        },
      })
    })
    await using client = await open(address)
    expect(await text(await client.top(1, 5))).toBe('.a\r\n')
    await client.noop()
  })
})
