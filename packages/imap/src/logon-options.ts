import { ConnectivityError, type MailDestination, type MailLogon } from '@sallyport/core'
import type { AuthOptions } from 'imapflow'

/** Names of `mail.imap4.auth.mechanisms` for passwords, as the library has them. */
const methods: Readonly<Record<string, string>> = { PLAIN: 'AUTH=PLAIN', LOGIN: 'AUTH=LOGIN' }

/**
 * What the library logs on with; nothing where nobody does. It prefers OAUTHBEARER to XOAUTH2, and PLAIN to LOGIN, unless the
 * destination names a mechanism for passwords.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` where the destination names mechanisms and none of them fits.
 */
export function logonOptions({ name, mechanisms }: MailDestination, logon: MailLogon): { readonly auth?: AuthOptions } {
  const invalid = (what: string): ConnectivityError =>
    new ConnectivityError('DESTINATION_INVALID', `destination "${name}": ${what}`, { details: { destination: name } })
  if (logon.kind === 'none') return {}
  const secret = secretOf(logon)
  if (/\p{Cc}/u.test(logon.user) || /\p{Cc}/u.test(secret)) throw invalid('user, password or token holds a control character')
  const fitting = mechanisms.filter((mechanism) =>
    logon.kind === 'token' ? mechanism === 'XOAUTH2' || mechanism === 'OAUTHBEARER' : mechanism in methods,
  )
  if (mechanisms.length > 0 && fitting.length === 0) {
    throw invalid(`mail.imap4.auth.mechanisms names none of ${logon.kind === 'token' ? 'XOAUTH2, OAUTHBEARER' : 'PLAIN, LOGIN'}`)
  }
  if (logon.kind === 'token') return { auth: { user: logon.user, accessToken: secret } }
  if (secret === '') throw invalid('mail.password is empty')
  const method = methods[fitting[0] ?? '']
  return { auth: { user: logon.user, pass: secret, ...(method === undefined ? {} : { loginMethod: method }) } }
}

/** What must not be seen in errors and logs. */
export function secretOf(logon: Exclude<MailLogon, { readonly kind: 'none' }>): string {
  return logon.kind === 'password' ? logon.password.reveal() : logon.token.reveal()
}
