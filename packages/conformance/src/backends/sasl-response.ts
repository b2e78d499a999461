import type { Credentials } from '@sallyport/core'

/** The decoded response of PLAIN or XOAUTH2 that `the-user` presents with these credentials; `undefined` without any. */
export function saslResponseOf(credentials: Credentials): string | undefined {
  if (credentials.kind === 'basic') return `\0${credentials.user}\0${credentials.password.reveal()}`
  if (credentials.kind === 'header') return `user=the-user\u0001auth=${credentials.value.reveal()}\u0001\u0001`
  return undefined
}
