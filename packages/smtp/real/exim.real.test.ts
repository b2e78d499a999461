import { createSecret, type MailDestination, parseDestination, silentLogger, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { type Exim, skipUnless, skipUnlessRoot, startExim } from '@sallyport/real-backends'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createSmtpAdapter, type SmtpClient } from '../src/index.ts'

const signal = (): AbortSignal => AbortSignal.timeout(15_000)
const ca = createTestCa()
const tls = ca.issue({ subject: '/CN=relay.acme.test', names: ['relay.acme.test'] })
const mail = { from: 'robot@acme.test', subject: 'Hello', text: '.\n..dots\nHello Jane' }

function connect({ port }: Exim, properties: Readonly<Record<string, string>>, password?: string): Promise<SmtpClient> {
  const destination = parseDestination({
    Name: 'POST',
    Type: 'MAIL',
    ProxyType: 'OnPremise',
    'mail.smtp.host': '127.0.0.1',
    'mail.smtp.port': String(port),
    ...properties,
  }) as MailDestination
  return createSmtpAdapter({ clock: systemClock, tls: { ca: [ca.certificate], servername: 'relay.acme.test' } }).connect(destination, {
    dial: createDirectDial(),
    credentials: password === undefined ? { kind: 'none' } : { kind: 'basic', user: 'robot', password: createSecret(password) },
    signal: signal(),
    log: silentLogger,
  })
}

describe.skipIf(skipUnless('exim4', 'bash') || skipUnlessRoot())('Exim', () => {
  let guarded: Exim
  let open: Exim
  beforeAll(async () => {
    guarded = await startExim({ tls, mailboxes: ['plain', 'login'], user: { name: 'robot', password: 'p4ss' } })
    open = await startExim({ mailboxes: ['jane'] })
  }, 40_000)
  afterAll(async () => {
    for (const each of [guarded, open]) await each?.[Symbol.asyncDispose]()
  })

  it.each(['PLAIN', 'LOGIN'])(
    'takes mail over STARTTLS from who has logged on with %s, and says as what it has queued it',
    async (mechanism) => {
      const properties = { 'mail.smtp.starttls.required': 'true', 'mail.smtp.auth.mechanisms': mechanism }
      await using client = await connect(guarded, properties, 'p4ss')
      const mailbox = mechanism.toLowerCase()
      const { accepted, queueId } = await client.send({ ...mail, to: `${mailbox}@acme.test` }, { signal: signal() })
      expect(accepted).toEqual([`${mailbox}@acme.test`])
      const [stored] = await guarded.mailbox(mailbox).messages(1, signal())
      expect(stored?.toString()).toContain('\n\n.\n..dots\nHello Jane')
      await vi.waitFor(() =>
        expect(guarded.log()).toMatch(new RegExp(`${queueId} <= robot@acme\\.test .* P=esmtpsa .* A=${mailbox}:robot`)),
      )
    },
  )

  it('refuses a wrong password, and mail of nobody', async () => {
    await using wrong = await connect(guarded, { 'mail.smtp.starttls.enable': 'true' }, 'wr0ng')
    await expect(wrong.ping(signal())).rejects.toMatchObject({ code: 'LOGON_REFUSED', details: { responseCode: 535 } })
    await using nobody = await connect(guarded, {})
    await expect(nobody.send({ ...mail, to: 'plain@acme.test' }, { signal: signal() })).rejects.toMatchObject({
      code: 'OPERATION_REFUSED',
      details: { response: '550 log on first' },
    })
  })

  it('PR-045 PR-044 is a relay for everybody, who sends no AUTH, and names whom it does not know', async () => {
    await using client = await connect(open, { 'mail.smtp.auth': 'false' }, 'p4ss')
    const outcome = await client.send({ ...mail, to: ['jane@acme.test', 'nobody@acme.test'] }, { signal: signal() })
    expect(outcome).toMatchObject({
      accepted: ['jane@acme.test'],
      rejected: [{ recipient: 'nobody@acme.test', responseCode: 550, response: '550 no such user', retryable: false }],
    })
    expect(await open.mailbox('jane').messages(1, signal())).toHaveLength(1)
    await vi.waitFor(() => expect(open.log()).toMatch(/P=esmtp /))
  })
})
