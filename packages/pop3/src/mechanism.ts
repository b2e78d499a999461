import type { MailLogon } from '@sallyport/core'
import { type Capabilities, offersMechanism } from './capabilities.ts'

/** The ways to log on that there are. `USER` is the pair of commands USER and PASS; `APOP` sends a digest. */
export type Mechanism = 'PLAIN' | 'XOAUTH2' | 'APOP' | 'USER'

/** What a server has said before the logon. */
export interface ServerFacts {
  /** `undefined` when it does not know CAPA. */
  readonly capabilities: Capabilities | undefined
  /** The part of the greeting that APOP makes its digest of; `undefined` without one. */
  readonly timestamp: string | undefined
}

/** Names of `mail.pop3.auth.mechanisms`; JavaMail calls the two commands LOGIN. */
const named: Readonly<Record<string, Mechanism>> = { PLAIN: 'PLAIN', XOAUTH2: 'XOAUTH2', APOP: 'APOP', LOGIN: 'USER', USER: 'USER' }

/**
 * Chooses how to log on. The destination's list decides the order; without one it is PLAIN, then USER. APOP is for those
 * who ask for it: its MD5 proves little, and servers keep passwords in the clear for it.
 *
 * @returns `undefined` when nothing fits; then nothing is sent.
 */
export function selectMechanism(
  logon: Exclude<MailLogon, { readonly kind: 'none' }>,
  preferred: readonly string[],
  { capabilities, timestamp }: ServerFacts,
): Mechanism | undefined {
  const possible: Readonly<Record<Mechanism, boolean>> = {
    PLAIN: logon.kind === 'password' && capabilities !== undefined && offersMechanism(capabilities, 'PLAIN'),
    USER: logon.kind === 'password' && (capabilities?.has('USER') ?? true),
    APOP: logon.kind === 'password' && timestamp !== undefined,
    // A server without CAPA may know it all the same, and there is no other way to present a token.
    XOAUTH2: logon.kind === 'token' && (capabilities === undefined || offersMechanism(capabilities, 'XOAUTH2')),
  }
  const order: readonly (Mechanism | undefined)[] =
    preferred.length > 0 ? preferred.map((name) => named[name]) : ['PLAIN', 'USER', 'XOAUTH2']
  return order.find((mechanism) => mechanism !== undefined && possible[mechanism])
}

/** RFC 1939 §7: a message identifier in angle brackets. */
export function greetingTimestamp(greeting: string): string | undefined {
  return /<[\x21-\x3b\x3d\x3f-\x7e]+@[\x21-\x3b\x3d\x3f-\x7e]+>/.exec(greeting)?.[0]
}
