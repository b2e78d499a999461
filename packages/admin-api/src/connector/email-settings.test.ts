import { describe, expect, it } from 'vitest'
import { emailSettingsSchema } from './email-settings.ts'

const good = {
  enabled: true,
  trustOption: 'tlsDisabled',
  sendTo: 'ops@acme.test, "Doe, Jane" <jane@acme.test>',
  sendFrom: 'Cloud Connector <connector@acme.test>',
  smtpHost: 'mail.acme.test',
}
const problems = (changes: object): readonly string[] =>
  emailSettingsSchema.safeParse({ ...good, ...changes }).error?.issues.map(({ path }) => path.join('.')) ?? []

describe('settings for mail', () => {
  it('CC-157 are looked at only when mail is switched on', () => {
    const bad = { trustOption: 'perhaps', sendTo: 'nobody', sendCc: '@', sendFrom: '', smtpHost: 'a b', smtpPort: 70_000 }
    expect(problems({ ...bad, enabled: false })).toEqual([])
    expect(problems(bad)).toEqual(['trustOption', 'sendTo', 'sendCc', 'sendFrom', 'smtpHost', 'smtpPort'])
  })

  it('have a default for everything, switched off', () => {
    expect(emailSettingsSchema.parse({})).toMatchObject({ enabled: false, trustOption: 'tlsDisabled', trustStore: [] })
  })

  it.each(['ops@acme.test', 'Ops <ops@acme.test>', 'a@b.test,c@d.test', '"A, B" <a@b.test>', "o'neil+x@acme.test"])(
    'takes %s',
    (sendTo) => {
      expect(problems({ sendTo })).toEqual([])
    },
  )

  it.each(['', ',', 'ops', 'ops@', '@acme.test', 'a@b.test,,', 'a@b.test\r\nBcc: c@d.test', 'x <a@b.test', 'a b@c.test', 'a@-b-'])(
    'does not take %j',
    (sendTo) => {
      expect(problems({ sendTo })).toEqual(['sendTo'])
    },
  )

  it.each([0, 65_536])('does not take port %i', (smtpPort) => {
    expect(problems({ smtpPort })).toEqual(['smtpPort'])
  })
})
