import { writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { silentLogger, systemClock } from '@sallyport/core'
import { createImapAdapter, type ImapClient } from '@sallyport/imap'
import { createPop3Adapter, type Pop3Client } from '@sallyport/pop3'
import { type Dovecot, skipUnless, startDovecot } from '@sallyport/real-backends'
import { createTcpAdapter } from '@sallyport/tcp'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findDestination } from './found-destination.ts'
import { createInstallation, type Installation } from './installation.ts'

const ca = createTestCa()
const system = ca.issue({ subject: '/CN=connector system', names: [] })
const messages = [
  'Subject: first\nFrom: john@acme.test\n\n.one dot\n..two dots\n.\nend\n',
  `Subject: second\n\n${'a line of some length\n'.repeat(5000)}`,
]
const wire = messages.map((message) => message.replaceAll('\n', '\r\n'))

let dovecot: Dovecot
let stack: Installation
const opened: AsyncDisposable[] = []
const signal = (): AbortSignal => AbortSignal.timeout(15_000)
const trusted = { ca: [ca.certificate], servername: 'localhost' }

const destination = (name: string, protocol: string, port: number, properties: Readonly<Record<string, string>> = {}): string =>
  `      - ${JSON.stringify({
    Name: name,
    Type: 'MAIL',
    ProxyType: 'OnPremise',
    'mail.transport.protocol': protocol,
    [`mail.${protocol}.host`]: 'post.corp',
    [`mail.${protocol}.port`]: String(port),
    Authentication: 'BasicAuthentication',
    'mail.user': 'jane',
    'mail.password': 'password-of-jane',
    ...properties,
  })}\n`

describe.skipIf(skipUnless('dovecot', 'python3', 'curl'))('a mailbox behind the connector', () => {
  beforeAll(async () => {
    dovecot = await startDovecot({
      tls: ca.issue({ subject: '/CN=localhost' }),
      users: { jane: 'password-of-jane' },
      messages: { jane: messages },
    })
    stack = await createInstallation()
    for (const [name, pem] of Object.entries({ 'ca.pem': ca.certificate, 'system.pem': system.certificate, 'system.key': system.key }))
      writeFileSync(stack.file(name), pem, { mode: 0o600 })
    const { imapPort, pop3Port, imapsPort, pop3sPort } = dovecot
    writeFileSync(
      stack.file('sallyport.yaml'),
      `version: 1
subaccounts:
  - id: demo
    destinations:
${destination('IMAP_PLAIN', 'imap4', 143)}${destination('IMAP_START_TLS', 'imap4', 143, { 'mail.imap4.starttls.required': 'true' })}${destination(
        'IMAP_ADDED_TLS',
        'imap4',
        2143,
      )}${destination('IMAP_OWN_TLS', 'imap4s', 993)}${destination('POP3_PLAIN', 'pop3', 110)}${destination('POP3_START_TLS', 'pop3', 110, {
        'mail.pop3.starttls.required': 'true',
      })}${destination('POP3_ADDED_TLS', 'pop3', 2110)}${destination('POP3_OWN_TLS', 'pop3s', 995)}${destination('NOT_MAPPED', 'imap4', 1143)}${destination(
        'WRONG_PASSWORD',
        'imap4',
        143,
        { 'mail.password': 'wrong' },
      )}      - { Name: IMAP_PORT, Type: TCP, ProxyType: OnPremise, Address: "post.corp:143" }
      - { Name: POP3_PORT, Type: TCP, ProxyType: OnPremise, Address: "post.corp:110" }
connectors:
  - backendTrust: { authorities: [{ file: ca.pem }] }
    systemCertificate: { certificate: { file: system.pem }, key: { file: system.key } }
    mappings:
      - { virtual: "post.corp:143", internal: "tcp://127.0.0.1:${imapPort}" }
      - { virtual: "post.corp:2143", internal: "tcps://localhost:${imapsPort}" }
      - { virtual: "post.corp:993", internal: "tcp://127.0.0.1:${imapsPort}" }
      - { virtual: "post.corp:110", internal: "tcp://127.0.0.1:${pop3Port}" }
      - { virtual: "post.corp:2110", internal: "tcps://localhost:${pop3sPort}" }
      - { virtual: "post.corp:995", internal: "tcp://127.0.0.1:${pop3sPort}" }
`,
    )
    await stack.dev(['--config', stack.file('sallyport.yaml')])
  }, 60_000)
  afterAll(async () => {
    for (const tokens of opened) await tokens[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await dovecot?.[Symbol.asyncDispose]()
  })

  async function imap(name: string): Promise<ImapClient> {
    const { credentials, destination: target, socks5: dial, tokens } = await findDestination(stack, name, 'MAIL')
    opened.push(tokens)
    return createImapAdapter({ clock: systemClock, tls: trusted }).connect(target, {
      dial,
      credentials,
      signal: signal(),
      log: silentLogger,
    })
  }
  async function pop3(name: string): Promise<Pop3Client> {
    const { credentials, destination: target, socks5: dial, tokens } = await findDestination(stack, name, 'MAIL')
    opened.push(tokens)
    return createPop3Adapter({ clock: systemClock, tls: trusted }).connect(target, {
      dial,
      credentials,
      signal: signal(),
      log: silentLogger,
    })
  }

  it.each([
    ['a TCP mapping', 'PLAIN', /secured|Login: user=<jane>/],
    ['STARTTLS or STLS inside a TCP mapping', 'START_TLS', /Login: user=<jane>.*TLS/],
    ['a mapping where the connector adds TLS', 'ADDED_TLS', /Login: user=<jane>.*TLS/],
    ['TLS end to end inside a TCP mapping', 'OWN_TLS', /Login: user=<jane>.*TLS/],
  ])('is read by IMAP and by POP3 through %s, over SOCKS5', async (_way, name, logged) => {
    const mark = dovecot.log().length
    await using account = await imap(`IMAP_${name}`)
    const found = await account.withMailbox('INBOX', (flow) => flow.fetchAll('1:*', { source: true }), { readOnly: true, signal: signal() })
    expect(found.map(({ source }) => String(source))).toEqual(wire)
    await account.logout()
    await using box = await pop3(`POP3_${name}`)
    const read: string[] = []
    for (const { number } of await box.list({ signal: signal() })) read.push(await text(await box.retr(number, { signal: signal() })))
    expect(read).toEqual(wire)
    await box.quit()
    await expect
      .poll(() =>
        dovecot
          .log()
          .slice(mark)
          .match(/-login: Info: .*/g),
      )
      .toMatchObject([expect.stringMatching(logged), expect.stringMatching(logged)])
  })

  it('is read by imaplib, poplib and curl through a local port, with equal content, in the clear and with TLS', async () => {
    await using imapPort = await openPort('IMAP_PORT')
    await using pop3Port = await openPort('POP3_PORT')
    const script = [
      'import imaplib, poplib, ssl, sys, json',
      'context = ssl.create_default_context(cafile=sys.argv[3])',
      'box = imaplib.IMAP4("localhost", int(sys.argv[1])); box.starttls(context); box.login("jane", "password-of-jane"); box.select("INBOX", True)',
      'by_imap = [box.fetch(n, "(BODY.PEEK[])")[1][0][1].decode() for n in box.search(None, "ALL")[1][0].split()]; box.logout()',
      'drop = poplib.POP3("localhost", int(sys.argv[2])); drop.stls(context); drop.user("jane"); drop.pass_("password-of-jane")',
      'by_pop3 = ["\\r\\n".join(line.decode() for line in drop.retr(n + 1)[1]) + "\\r\\n" for n in range(drop.stat()[0])]; drop.quit()',
      'print(json.dumps([by_imap, by_pop3]))',
    ]
    const python = await stack.program('python3', [
      '-c',
      script.join('\n'),
      String(imapPort.port),
      String(pop3Port.port),
      stack.file('ca.pem'),
    ])
    expect(python.stderr).toBe('')
    expect(JSON.parse(python.stdout)).toEqual([wire, wire])
    for (const url of [`imap://127.0.0.1:${imapPort.port}/INBOX;MAILINDEX=1`, `pop3://127.0.0.1:${pop3Port.port}/1`]) {
      const curl = await stack.program('curl', ['-sS', url, '--user', 'jane:password-of-jane'])
      expect(curl, url).toMatchObject({ code: 0, stdout: wire[0] })
    }
  })

  it('tells what is not mapped from a password that is wrong', async () => {
    await using nowhere = await imap('NOT_MAPPED')
    await expect(nowhere.ping(signal())).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    await using wrong = await imap('WRONG_PASSWORD')
    await expect(wrong.ping(signal())).rejects.toMatchObject({ code: 'LOGON_REFUSED' })
  })

  async function openPort(name: string): Promise<{ readonly port: number } & AsyncDisposable> {
    const { credentials, destination: target, socks5: dial, tokens } = await findDestination(stack, name, 'TCP')
    const client = await createTcpAdapter({ clock: systemClock }).connect(target, {
      dial,
      credentials,
      signal: signal(),
      log: silentLogger,
    })
    const { address } = await client.listen()
    return {
      port: address.port,
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]()
        await tokens[Symbol.asyncDispose]()
      },
    }
  }
})
