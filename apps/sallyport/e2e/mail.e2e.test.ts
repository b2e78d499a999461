import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  type Dovecot,
  type Exim,
  type Postfix,
  skipUnless,
  skipUnlessRoot,
  startDovecot,
  startExim,
  startPostfix,
} from '@sallyport/real-backends'
import { connect, type SmtpClient, type TlsOptions } from '@sallyport/smtp'
import { connect as connectToTcp } from '@sallyport/tcp'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { findDestination, stubApplication } from './found-destination.ts'
import { createInstallation, type Installation } from './installation.ts'

const run = promisify(execFile)
const ca = createTestCa()
const relayName = 'relay.acme.test'
const trusted: TlsOptions = { ca: [ca.certificate], servername: relayName }
const signal = (): AbortSignal => AbortSignal.timeout(15_000)
const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex')

let postfix: Postfix
let dovecot: Dovecot
let exim: Exim
let stack: Installation

const destination = (name: string, port: number, properties: Readonly<Record<string, string>> = {}): string =>
  `      - ${JSON.stringify({
    Name: name,
    Type: 'MAIL',
    ProxyType: 'OnPremise',
    Authentication: 'BasicAuthentication',
    'mail.transport.protocol': 'smtp',
    'mail.smtp.host': 'post.corp',
    'mail.smtp.port': String(port),
    'mail.user': 'robot',
    'mail.password': 'p4ss',
    'mail.from': 'robot@acme.test',
    ...properties,
  })}\n`

/** Text and first attachment of a message as it is stored, read by Python's parser. */
const parser = `
import email, email.policy, hashlib, json, sys
message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
parts = [part for part in message.walk() if not part.is_multipart()]
print(json.dumps([hashlib.sha256(part.get_payload(decode=True)).hexdigest() for part in parts]))
`
async function hashesOf(mailbox: string): Promise<readonly string[]> {
  const [message] = await postfix.mailbox(mailbox).messages(1, signal())
  return hashesIn(message)
}
async function hashesIn(message: Buffer | undefined): Promise<readonly string[]> {
  const running = run('python3', ['-c', parser])
  running.child.stdin?.end(message)
  return JSON.parse((await running).stdout) as readonly string[]
}

describe.skipIf(skipUnless('postfix', 'exim4', 'dovecot', 'python3', 'swaks') || skipUnlessRoot())(
  'a mail server behind the connector',
  () => {
    beforeAll(async () => {
      dovecot = await startDovecot({
        users: { robot: 'p4ss' },
        sasl: true,
      })
      const mailboxes = ['plain', 'start_tls', 'added_tls', 'own_tls', 'swaks', 'python', 'python_socks']
      postfix = await startPostfix({
        tls: ca.issue({ subject: `/CN=${relayName}`, names: [relayName, 'localhost'] }),
        mailboxes,
        saslPort: dovecot.saslPort,
      })
      exim = await startExim({
        tls: ca.issue({ subject: `/CN=${relayName}`, names: [relayName] }),
        mailboxes: ['exim'],
        user: { name: 'robot', password: 'p4ss' },
      })
      stack = await createInstallation()
      writeFileSync(stack.file('ca.pem'), ca.certificate)
      writeFileSync(
        stack.file('sallyport.yaml'),
        `version: 1
subaccounts:
  - id: demo
    destinations:
${destination('PLAIN', 25)}${destination('START_TLS', 25, { 'mail.smtp.starttls.required': 'true' })}${destination(
          'ADDED_TLS',
          2465,
        )}${destination('OWN_TLS', 0, {
          'mail.transport.protocol': 'smtps',
          'mail.smtp.host': '',
          'mail.smtp.port': '',
          'mail.smtps.host': 'post.corp',
        })}${destination('EXIM', 587, { 'mail.smtp.starttls.required': 'true' })}${destination('NOWHERE', 26)}      - { Name: PORT, Type: TCP, ProxyType: OnPremise, Address: "post.corp:25" }
connectors:
  - backendTrust: { authorities: [{ file: ca.pem }] }
    mappings:
      - { virtual: "post.corp:25", internal: "tcp://127.0.0.1:${postfix.port}" }
      - { virtual: "post.corp:587", internal: "tcp://127.0.0.1:${exim.port}" }
      - { virtual: "post.corp:465", internal: "tcp://127.0.0.1:${postfix.securePort}" }
      - { virtual: "post.corp:2465", internal: "tcps://localhost:${postfix.securePort}" }
`,
      )
      await stack.dev(['--config', stack.file('sallyport.yaml')])
    }, 90_000)
    afterEach(() => void vi.unstubAllEnvs())
    afterAll(async () => {
      for (const each of [stack, postfix, exim, dovecot]) await each?.[Symbol.asyncDispose]()
    })

    const byName = (name: string, tls: TlsOptions): Promise<SmtpClient> => connect(name, { ...stubApplication(stack), tls })

    it.each([
      ['a TCP mapping', 'PLAIN', {}, 'ESMTPA'],
      ['STARTTLS inside a TCP mapping', 'START_TLS', trusted, 'ESMTPSA'],
      ['a mapping where the connector adds TLS', 'ADDED_TLS', {}, 'ESMTPSA'],
      ['SMTPS end to end inside a TCP mapping', 'OWN_TLS', trusted, 'ESMTPSA'],
    ] as const)('PR-040 takes mail unchanged through %s, over SOCKS5', async (_way, name, tls, handedOver) => {
      const text = `.\n..\n.dots\nGrüße aus 日本\n${'long '.repeat(400)}\n`
      const bytes = randomBytes(1_000_000)
      await using client = await byName(name, tls)
      const mailbox = name.toLowerCase()
      const outcome = await client.send(
        { to: `${mailbox}@acme.test`, subject: 'Through the gate', text, attachments: [{ filename: 'bytes.bin', content: bytes }] },
        { signal: signal() },
      )
      expect(outcome).toMatchObject({ accepted: [`${mailbox}@acme.test`], rejected: [] })
      expect(await hashesOf(mailbox)).toEqual([sha256(text), sha256(bytes)])
      const [stored] = await postfix.mailbox(mailbox).messages(1, signal())
      expect(/\bwith (E?SMTPS?A?)\b/.exec(stored?.toString('latin1') ?? '')?.[1]).toBe(handedOver)
      expect(stored?.toString('latin1')).toContain('\nFrom: robot@acme.test\n')
    })

    it('Exim takes mail unchanged with STARTTLS and a log-on, and refuses a stranger', async () => {
      const bytes = randomBytes(300_000)
      await using client = await byName('EXIM', trusted)
      const to = ['exim@acme.test', 'nobody@acme.test']
      const sent = await client.send({ to, subject: 'To Exim', text: 'Grüße\n', attachments: [{ content: bytes }] }, { signal: signal() })
      expect(sent).toMatchObject({ accepted: ['exim@acme.test'], rejected: [{ recipient: 'nobody@acme.test', responseCode: 550 }] })
      const [stored] = await exim.mailbox('exim').messages(1, signal())
      expect(await hashesIn(stored)).toEqual([sha256('Grüße\n'), sha256(bytes)])
    })

    it('says that the connector admits no other port, and that a certificate has another name', async () => {
      await using closed = await byName('NOWHERE', {})
      await expect(closed.ping(signal())).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
      await using stranger = await byName('OWN_TLS', { ca: [ca.certificate] })
      await expect(stranger.ping(signal())).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
    })

    it('PR-042 leaves no stream of the tunnel and no connection of the relay behind', async () => {
      const before = postfix.log().length
      const client = await byName('PLAIN', {})
      await client.send(
        Array.from({ length: 12 }, (_, index) => ({ to: 'plain@acme.test', subject: `Message ${index}`, text: 'x' })),
        { signal: signal() },
      )
      await client[Symbol.asyncDispose]()
      await vi.waitFor(() => {
        const log = postfix.log().slice(before)
        const opened = log.match(/: connect from/g)?.length ?? 0
        expect(opened).toBeGreaterThan(0)
        expect(opened).toBeLessThanOrEqual(5)
        expect(log.match(/: disconnect from .* quit=1/g)?.length).toBe(opened)
      }, 10_000)
    })

    it('takes mail from swaks through a local port, with STARTTLS and a log-on', async () => {
      await using client = await connectToTcp('PORT', stubApplication(stack))
      const { address } = await client.listen()
      const server = [
        '--server',
        '127.0.0.1',
        '--port',
        String(address.port),
        '--tls',
        '--tls-verify',
        '--tls-ca-path',
        stack.file('ca.pem'),
      ]
      const user = ['--auth', 'PLAIN', '--auth-user', 'robot', '--auth-password', 'p4ss']
      const words = [...server, ...user, '--from', 'robot@acme.test', '--to', 'swaks@acme.test', '--body', 'Hello from swaks']
      const sent = await stack.program('swaks', words)
      expect(sent).toMatchObject({ code: 0, stdout: expect.stringMatching(/~> AUTH PLAIN[\s\S]*queued as/) })
      expect((await postfix.mailbox('swaks').messages(1, signal()))[0]?.toString()).toContain('Hello from swaks')
    })

    it.each(['python', 'python_socks'])('takes mail from Python’s smtplib unchanged: %s', async (mailbox) => {
      const bytes = randomBytes(200_000)
      const text = '.\nGrüße aus 日本\n'
      const { connectivity, tokens } = await findDestination(stack, 'PORT', 'TCP')
      await using _ = tokens
      await using client = await connectToTcp('PORT', stubApplication(stack))
      const { address } = await client.listen()
      const socks = { ...connectivity.socks5Proxy, token: (await tokens.get({ signal: signal() })).reveal() }
      const where = mailbox === 'python' ? address : { host: 'post.corp', port: 25, socks }
      const wish = {
        from: 'robot@acme.test',
        to: `${mailbox}@acme.test`,
        subject: 'Hello',
        text,
        bytes: bytes.toString('base64'),
        user: 'robot',
        password: 'p4ss',
      }
      const running = run('python3', [join(import.meta.dirname, 'clients', 'send_mail.py')], { timeout: 30_000 })
      running.child.stdin?.end(JSON.stringify({ ...wish, ...where, authority: stack.file('ca.pem'), certificateName: relayName }))
      expect(JSON.parse((await running).stdout)).toEqual({ refused: {} })
      expect(await hashesOf(mailbox)).toEqual([sha256(text), sha256(bytes)])
    })
  },
)
