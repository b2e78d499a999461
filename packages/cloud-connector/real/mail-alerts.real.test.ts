import { emailSettingsSchema } from '@sallyport/admin-api'
import { ConnectivityError, silentLogger } from '@sallyport/core'
import { freePort, type Dovecot, type Postfix, skipUnless, skipUnlessRoot, startDovecot, startPostfix } from '@sallyport/real-backends'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Alert, createMailSender } from '../src/index.ts'

const ca = createTestCa()
const tls = ca.issue({ subject: '/CN=localhost' })
const alert: Alert = {
  id: 1,
  timestampMs: Date.UTC(2030, 0, 1, 12),
  status: 'Warning',
  category: 'freeDiskSpace',
  type: 'Disk',
  origin: 'Master',
  message: 'Free disk space dropped below configured threshold — 5 MB are free',
  entity: '',
}

describe.skipIf(skipUnless('postfix', 'dovecot') || skipUnlessRoot())('alerts by mail, through Postfix', () => {
  let postfix: Postfix
  let dovecot: Dovecot
  beforeAll(async () => {
    const saslPort = await freePort()
    dovecot = await startDovecot({
      users: { robot: 'p4ss' },
      configuration: `service auth {\n  inet_listener sasl {\n    address = 127.0.0.1\n    port = ${saslPort}\n  }\n}`,
    })
    postfix = await startPostfix({ tls, mailboxes: ['plain', 'starttls', 'smtps', 'any', 'cc'], saslPort })
  }, 40_000)
  afterAll(async () => {
    for (const each of [postfix, dovecot]) await each?.[Symbol.asyncDispose]()
  })

  const send = (changes: object): Promise<void> =>
    createMailSender(
      emailSettingsSchema.parse({
        enabled: true,
        sendTo: 'plain@acme.test',
        sendFrom: 'Cloud Connector <connector@acme.test>',
        smtpHost: 'localhost',
        smtpPort: postfix.port,
        smtpUsername: 'robot',
        smtpPassword: 'p4ss',
        ...changes,
      }),
      silentLogger,
    )(alert, AbortSignal.timeout(15_000))
  const received = async (mailbox: string, count = 1): Promise<string> =>
    (await postfix.mailbox(mailbox).messages(count, AbortSignal.timeout(15_000))).at(-1)?.toString('utf8') ?? ''

  it('arrive with everything that is known', async () => {
    await send({ sendCc: 'cc@acme.test' })
    const mail = await received('plain')
    expect(mail).toMatch(/^Subject: \[Cloud Connector\] Alert: Disk\r?$/m)
    expect(mail).toMatch(/^From: Cloud Connector <connector@acme\.test>\r?$/m)
    expect(mail).toContain('2030-01-01T12:00:00.000Z')
    expect(await received('cc')).toContain('To: plain@acme.test')
  })

  it('go over STARTTLS or TLS from the first byte, to a server that the trust store knows', async () => {
    const trusting = { trustOption: 'emailTrustStore', trustStore: [ca.certificate] }
    await send({ ...trusting, sendTo: 'starttls@acme.test' })
    expect(await received('starttls')).toMatch(/with ESMTPSA /)
    await send({
      ...trusting,
      sendTo: 'smtps@acme.test',
      smtpPort: postfix.securePort,
      additionalProperties: { 'mail.smtp.ssl.enable': 'true' },
    })
    expect(await received('smtps')).toMatch(/with ESMTPSA /)
  })

  it('do not go to a server that nobody knows, unless all are trusted', async () => {
    const other = createTestCa().certificate
    for (const changes of [
      { trustOption: 'emailTrustStore', trustStore: [other] },
      { trustOption: 'emailTrustStore' },
      { trustOption: 'jdkAndEmailTrustStore' },
    ]) {
      const error: unknown = await send({ ...changes, sendTo: 'any@acme.test' }).catch((reason: unknown) => reason)
      expect(ConnectivityError.is(error)).toBe(true)
    }
    await send({ trustOption: 'trustAll', sendTo: 'any@acme.test' })
    expect(await received('any')).toContain('Disk')
  })

  it('say what to check when the server refuses, without the password', async () => {
    const error = (await send({ smtpPassword: 'wrong-p4ss' }).catch((reason: unknown) => reason)) as Error
    expect(error.message).toMatch(/^mail server localhost: .*check host, port, user and TLS option$/s)
    expect(error.message).not.toContain('wrong-p4ss')
  })
})
