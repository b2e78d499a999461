import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { buffer, text } from 'node:stream/consumers'
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
import Pop3Command from 'node-pop3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPop3Adapter, type Pop3Client } from '../src/index.ts'

const run = promisify(execFile)
const signal = (): AbortSignal => AbortSignal.timeout(15_000)

/** What is easily spoilt on the way. */
const awkward = [
  'Subject: dots\n\n.\n..\n...a\n.leading\nmiddle . dot\ntrailing.\n',
  'Subject: only a header\n\n',
  'Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße aus 日本\n',
  'Subject: empty lines\n\n\n\n\nend\n\n\n',
  'Subject: tricks\n\n+OK not an answer\n-ERR neither\n.\n',
  `Subject: long line\n\n${'x'.repeat(1500)}\n`,
]
const large = [
  `Subject: large\n\n${`${randomBytes(54).toString('base64')}\n`.repeat(40_000)}`,
  `Subject: dotted\n\n${'.\n'.repeat(200_000)}`,
]
const wire = (message: string): string => message.replaceAll('\n', '\r\n')

const ca = createTestCa()

describe.skipIf(skipUnless('dovecot', 'python3'))('Dovecot', () => {
  let dovecot: DovecotWithTokens
  let proxy: SocksServer
  beforeAll(async () => {
    dovecot = await startDovecotWithTokens({
      tls: ca.issue({ subject: '/CN=mail.acme.test', names: ['mail.acme.test'] }),
      users: { awkward: 'p4ss', large: 'p4ss', keeper: 'p4ss', deleter: 'p4ss', foreign: 'p4ss', oauth: 'unused' },
      messages: { awkward, large, foreign: awkward, keeper: awkward, deleter: awkward, oauth: ['Subject: for tokens\n\nhello\n'] },
    })
    proxy = await createSocksServer({ token: 't.t.t', route: (_host, port) => ({ host: '127.0.0.1', port }) })
  })
  afterAll(async () => {
    await dovecot[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
  })

  const basic = (user: string, password = 'p4ss'): Credentials => ({ kind: 'basic', user, password: createSecret(password) })
  const bearer = (token: string): Credentials => ({ kind: 'header', name: 'Authorization', value: createSecret(`Bearer ${token}`) })
  const ways: Readonly<Record<string, () => Dial>> = {
    direct: () => createDirectDial(),
    socks5: () => createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret('t.t.t') }),
  }
  const modes: Readonly<Record<string, () => Readonly<Record<string, string>>>> = {
    plain: () => ({ 'mail.pop3.host': '127.0.0.1', 'mail.pop3.port': String(dovecot.pop3Port) }),
    STLS: () => ({ ...modes['plain']?.(), 'mail.pop3.starttls.required': 'true' }),
    TLS: () => ({ 'mail.pop3s.host': '127.0.0.1', 'mail.pop3s.port': String(dovecot.pop3sPort) }),
  }
  const destinationOf = (properties: Readonly<Record<string, string>>): MailDestination =>
    parseDestination({ Name: 'INBOX', Type: 'MAIL', 'mail.user': 'oauth', ...properties }) as MailDestination
  function connect(
    credentials: Credentials,
    { mode = 'plain', way = 'direct', servername = 'mail.acme.test', renew }: Where = {},
  ): Promise<Pop3Client> {
    const adapter = createPop3Adapter({ clock: systemClock, tls: { ca: [ca.certificate], servername } })
    return adapter.connect(destinationOf(modes[mode]?.() ?? {}), {
      dial: ways[way]?.() ?? createDirectDial(),
      credentials,
      ...(renew === undefined ? {} : { renewCredentials: renew }),
      signal: signal(),
      log: silentLogger,
    })
  }

  describe.each(Object.keys(ways))('%s', (way) => {
    it.each(Object.keys(modes))('PR-051 gives every message as it is stored, over %s', async (mode) => {
      await using client = await connect(basic('awkward'), { mode, way })
      const sizes = await client.list()
      expect(sizes.map(({ bytes }) => bytes)).toEqual(awkward.map((message) => Buffer.byteLength(wire(message))))
      expect(await client.stat()).toEqual({ messages: awkward.length, bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0) })
      const ids = await client.uidl()
      expect(new Set(ids.map(({ id }) => id)).size).toBe(awkward.length)
      for (const [index, message] of awkward.entries()) {
        expect(await text(await client.retr(index + 1)), `message ${index + 1}`).toBe(wire(message))
        const lines = message.split('\n')
        const body = lines.indexOf('') + 1
        const top = [...lines.slice(0, body), ...lines.slice(body, -1).slice(0, 1), '']
        expect(await text(await client.top(index + 1, 1)), `top of message ${index + 1}`).toBe(top.join('\r\n'))
      }
      expect(await client.list({ number: 2 })).toEqual([sizes[1]])
      expect(await client.uidl({ number: 2 })).toEqual([ids[1]])
      expect((await client.capabilities()).has('UIDL')).toBe(true)
      await client.quit()
    })
  })

  it('PR-050 large messages arrive with the hash that they have', async () => {
    await using client = await connect(basic('large'), { mode: 'TLS', way: 'socks5' })
    for (const [index, message] of large.entries()) {
      const received = await buffer(await client.retr(index + 1))
      expect(createHash('sha256').update(received).digest('hex')).toBe(createHash('sha256').update(wire(message)).digest('hex'))
    }
  })

  it('PR-053 deletes with QUIT only, and takes marks back', async () => {
    const count = async (): Promise<number> => {
      await using client = await connect(basic('deleter'))
      return (await client.stat()).messages
    }
    {
      await using client = await connect(basic('deleter'))
      await client.dele(1)
      expect((await client.stat()).messages).toBe(awkward.length - 1)
    }
    expect(await count()).toBe(awkward.length)
    await using client = await connect(basic('deleter'))
    await client.dele(1)
    await client.rset()
    await client.dele(2)
    await client.quit()
    expect(await count()).toBe(awkward.length - 1)
    expect(await text(await client.retr(1))).toBe(wire(awkward[0] ?? ''))
    expect(await text(await client.retr(2))).toBe(wire(awkward[2] ?? ''))
  })

  it('PR-056 node-pop3 and poplib read the same mailbox with equal content', async () => {
    await using client = await connect(basic('foreign'))
    const [ours, ids]: [string[], string[]] = [[], []]
    for (const { number, id } of await client.uidl()) {
      ours.push(await text(await client.retr(number)))
      ids.push(id)
    }
    await client.quit()
    const script = [
      'import poplib, sys, json',
      'box = poplib.POP3("127.0.0.1", int(sys.argv[1])); box.user("foreign"); box.pass_("p4ss")',
      'ids = [line.decode().split(" ")[1] for line in box.uidl()[1]]',
      'lines = [[line.decode() for line in box.retr(n + 1)[1]] for n in range(len(ids))]',
      'print(json.dumps({"ids": ids, "messages": ["\\r\\n".join(each) + "\\r\\n" for each in lines]})); box.quit()',
    ]
    const { stdout } = await run('python3', ['-c', script.join('\n'), String(dovecot.pop3Port)])
    expect(JSON.parse(stdout)).toEqual({ ids, messages: ours })

    const other = new Pop3Command({ host: '127.0.0.1', port: dovecot.pop3Port, user: 'foreign', password: 'p4ss' })
    const theirs: string[] = []
    for (const [number] of (await other.UIDL()) as string[][]) {
      // It leaves the dots of the wire in, and takes the last line end away.
      theirs.push(`${(await other.RETR(Number(number))).replaceAll(/^\.\./gm, '.')}\r\n`)
    }
    await other.QUIT()
    expect(theirs).toEqual(ours)
    expect(ours).toEqual(awkward.map(wire))
  })

  it.each(Object.keys(modes))(
    'PR-036 a token is presented with XOAUTH2, and one that is refused is renewed once, over %s',
    async (mode) => {
      dovecot.introspection.users.set('good-token', 'oauth')
      {
        await using client = await connect(bearer('good-token'), { mode })
        expect(await client.stat()).toMatchObject({ messages: 1 })
      }
      let renewed = 0
      const renew = async (): Promise<Credentials> => {
        renewed += 1
        return bearer('good-token')
      }
      const mark = dovecot.introspection.asked.length
      await using client = await connect(bearer('expired-token'), { mode, renew })
      expect(await text(await client.retr(1))).toBe(wire('Subject: for tokens\n\nhello\n'))
      expect([renewed, dovecot.introspection.asked.slice(mark)]).toEqual([1, ['expired-token', 'good-token']])
      await using hopeless = await connect(bearer('expired-token'), { mode, renew: async () => bearer('another-expired-token') })
      await expect(hopeless.stat()).rejects.toMatchObject({ code: 'LOGON_REFUSED' })
      expect(dovecot.introspection.asked.slice(mark + 2)).toEqual(['expired-token', 'another-expired-token'])
    },
  )

  it('tells a wrong password from a certificate that is not trusted', async () => {
    await using wrong = await connect(basic('awkward', 'wrong'))
    await expect(wrong.stat()).rejects.toMatchObject({ code: 'LOGON_REFUSED', details: { responseCode: 'AUTH' } })
    for (const mode of ['TLS', 'STLS']) {
      await using untrusting = await connect(basic('awkward'), { mode, servername: 'another.acme.test' })
      await expect(untrusting.stat()).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
    }
    await using client = await connect(basic('awkward'))
    await expect(client.retr(99)).rejects.toMatchObject({ code: 'OPERATION_REFUSED' })
    await client.ping(signal())
    await client.noop()
  })
})

interface Where {
  readonly mode?: string
  readonly way?: string
  readonly servername?: string
  readonly renew?: () => Promise<Credentials>
}
