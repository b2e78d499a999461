import { formatXoauth2, type MailLogon, type Secret } from '@sallyport/core'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SMTPConnectionCustomAuthContext, SMTPConnectionCustomAuthHandlers } from 'nodemailer/lib/smtp-connection'

type Done = (error: unknown) => void

/** A mechanism of nobody, by which the library tells what the server offers without a word to it. */
const inquiry = 'INQUIRY'
/** XOAUTH2 under another name: under its own the library wants to fetch tokens. */
const withToken = 'TOKEN'
const withPassword: readonly string[] = ['PLAIN', 'LOGIN', 'CRAM-MD5']

/** What the library has to know about mechanisms when a connection is made. */
export const mechanismHandlers: SMTPConnectionCustomAuthHandlers = {
  [inquiry](context) {
    ;(context.auth['tell'] as (offered: readonly string[]) => void)(context.authMethods)
    context.reject('')
  },
  // The library would ask for a second token on the same connection; ours is asked for before another connection is made.
  [withToken]: presentToken,
}

/** Logs on with a password or a token, by the first of the destination's mechanisms that the server has too; without one the library chooses. */
export function logOn(connection: SMTPConnection, logon: MailLogon, preferred: readonly string[], done: Done): void {
  if (logon.kind === 'none') done(null)
  else if (logon.kind === 'token') {
    connection.login({ method: withToken, user: logon.user, initialResponse: formatXoauth2(logon.user, logon.token) }, done)
  } else {
    const { user } = logon
    const pass = logon.password.reveal()
    const wanted = preferred.filter((mechanism) => withPassword.includes(mechanism))
    if (wanted.length === 0) connection.login({ user, pass }, done)
    else {
      let method: string | undefined
      const tell = (offered: readonly string[]): void => void (method = wanted.find((name) => offered.includes(name)))
      connection.login({ method: inquiry, tell }, () => connection.login({ user, pass, method }, done))
    }
  }
}

/** All that must not be seen of a logon, as it is before base64. */
export function secretsOf(logon: MailLogon): readonly string[] {
  switch (logon.kind) {
    case 'none':
      return []
    case 'password': {
      const password = logon.password.reveal()
      return [`\0${logon.user}\0${password}`, password]
    }
    case 'token':
      return [Buffer.from(formatXoauth2(logon.user, logon.token).reveal(), 'base64').toString('utf8'), logon.token.reveal()]
  }
}

/** After a refusal the server explains itself in a challenge, and says no when that has been answered with an empty line. */
async function presentToken({ auth, sendCommand }: SMTPConnectionCustomAuthContext): Promise<void> {
  const first = await sendCommand(`AUTH XOAUTH2 ${(auth['initialResponse'] as Secret).reveal()}`)
  const last = first.status === 334 ? await sendCommand('') : first
  if (last.status !== 235) throw new Error('refused')
}
