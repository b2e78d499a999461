import type { Credentials, MailDestination } from './destination.ts'
import { ConnectivityError } from './errors.ts'
import { createSecret, type Secret } from './secret.ts'

/** What a mail client presents at the server. */
export type MailLogon =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly user: string; readonly password: Secret }
  /** A bearer token for XOAUTH2 or OAUTHBEARER. */
  | { readonly kind: 'token'; readonly user: string; readonly token: Secret; readonly expiresAtMs: number | undefined }

/**
 * Decides how to log on to a mail server.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` where the destination asks for somebody and nobody is at hand: a client that
 * was to log on does not go on as nobody.
 */
export function mailLogonOf(destination: MailDestination, credentials: Credentials): MailLogon {
  const { name, user, authentication, logsOn } = destination
  const invalid = (what: string): ConnectivityError =>
    new ConnectivityError('DESTINATION_INVALID', `destination "${name}": ${what}`, { details: { destination: name } })
  switch (credentials.kind) {
    case 'none':
      if (logsOn && authentication !== 'NoAuthentication') throw invalid(`it asks for ${authentication}, and no user or token is at hand`)
      return { kind: 'none' }
    case 'basic':
      if (!logsOn) return { kind: 'none' }
      if (credentials.user === '') throw invalid('mail.user is missing; BasicAuthentication logs on with it')
      return { kind: 'password', user: credentials.user, password: credentials.password }
    case 'header': {
      if (!logsOn) return { kind: 'none' }
      const token = /^Bearer +(\S+)$/i.exec(credentials.value.reveal())?.[1]
      if (token === undefined)
        throw invalid('mail servers take bearer tokens only; use an OAuth authentication type or BasicAuthentication')
      if (user === undefined) throw invalid('mail.user is missing; a token is presented together with the user whose mailbox it opens')
      return { kind: 'token', user, token: createSecret(token), expiresAtMs: credentials.expiresAtMs }
    }
    case 'principal':
      throw invalid('mail cannot be handled on behalf of a principal; use BasicAuthentication or an OAuth authentication type')
  }
}

/**
 * The initial response of the SASL mechanism XOAUTH2, in base64 as it goes over the wire. It is as secret as the token.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for a control character, which would end the field that it is in.
 */
export function formatXoauth2(user: string, token: Secret): Secret {
  const bearer = token.reveal()
  if (/\p{Cc}/u.test(user) || /\p{Cc}/u.test(bearer)) {
    throw new ConnectivityError('MESSAGE_INVALID', 'log on with XOAUTH2: user or token holds a control character')
  }
  return createSecret(Buffer.from(`user=${user}\u0001auth=Bearer ${bearer}\u0001\u0001`, 'utf8').toString('base64'))
}
