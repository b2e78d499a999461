import { createHash } from 'node:crypto'
import { ConnectivityError, formatXoauth2, type MailLogon } from '@sallyport/core'
import { fitsCommandLine, formatCommand } from './command-line.ts'
import type { Dialogue } from './dialogue.ts'
import { greetingTimestamp, type Mechanism, selectMechanism, type ServerFacts } from './mechanism.ts'
import { noMechanismError, refusedError } from './pop3-errors.ts'
import { type Status, tryParseChallenge, tryParseStatus } from './status-line.ts'

/** Whoever logs on. */
export type User = Exclude<MailLogon, { readonly kind: 'none' }>

/** What has been agreed before somebody logs on. */
export interface LogOnOptions extends ServerFacts {
  readonly attempt: string
  readonly greeting: string
  /** The destination's list of mechanisms; empty leaves the choice. */
  readonly mechanisms: readonly string[]
  /** Commands may be written in UTF-8 (RFC 6856 §2.2). */
  readonly utf8User: boolean
}

/** Logs on, in the way that fits best. @throws ConnectivityError `LOGON_REFUSED` and what a server says about its mailbox. */
export async function logOn(dialogue: Dialogue, user: User, options: LogOnOptions): Promise<void> {
  const { attempt, capabilities, mechanisms } = options
  const mechanism = selectMechanism(user, mechanisms, options)
  if (mechanism === undefined) {
    const offered = [...(capabilities?.get('SASL') ?? []), ...(capabilities?.has('USER') === true ? ['USER'] : [])]
    throw noMechanismError(attempt, offered.length === 0 ? 'none' : offered.join(' '))
  }
  const status = await steps[mechanism](dialogue, user, options)
  if (!status.ok)
    throw refusedError({ attempt: `${attempt} with ${mechanism}`, status, otherwise: 'LOGON_REFUSED', secrets: [secretOf(user)] })
}

/** What must not be seen in errors and logs. */
export function secretOf(user: User): string {
  return user.kind === 'password' ? user.password.reveal() : user.token.reveal()
}

const hidden = '[hidden]'

const steps: Readonly<Record<Mechanism, (dialogue: Dialogue, user: User, options: LogOnOptions) => Promise<Status>>> = {
  PLAIN: (dialogue, user) => {
    // RFC 4616 §2: NUL separates.
    if (user.user.includes('\0') || secretOf(user).includes('\0')) throw unsendable('PLAIN', 'user or password holds NUL')
    return authenticate(dialogue, 'PLAIN', Buffer.from(`\0${user.user}\0${secretOf(user)}`, 'utf8').toString('base64'))
  },
  XOAUTH2: (dialogue, user) => {
    if (user.kind !== 'token') throw unsendable('XOAUTH2', 'a password is no token')
    return authenticate(dialogue, 'XOAUTH2', formatXoauth2(user.user, user.token).reveal())
  },
  async APOP(dialogue, user, { greeting }) {
    const digest = createHash('md5')
      .update(`${greetingTimestamp(greeting)}${secretOf(user)}`)
      .digest('hex')
    dialogue.send(formatCommand('APOP', user.user, digest), `APOP ${user.user} ${hidden}`)
    return dialogue.readStatus()
  },
  async USER(dialogue, user, { utf8User }) {
    // Both before the first is sent: half a logon helps nobody.
    const [first, second] = [formatCommand('USER', user.user), formatCommand('PASS', secretOf(user))]
    // oxlint-disable-next-line no-control-regex -- what ASCII is
    if (!utf8User && /[^\x00-\x7f]/.test(first + second)) throw unsendable('USER', 'the server takes user and password in ASCII only')
    dialogue.send(first)
    const known = await dialogue.readStatus()
    if (!known.ok) return known
    dialogue.send(second, `PASS ${hidden}`)
    return dialogue.readStatus()
  },
}

/** RFC 5034 §4: the response goes into the command where that is short enough, else behind the server's prompt. */
async function authenticate(dialogue: Dialogue, mechanism: string, response: string): Promise<Status> {
  const whole = `AUTH ${mechanism} ${response}`
  const initial = fitsCommandLine(whole)
  dialogue.send(initial ? whole : `AUTH ${mechanism}`, `AUTH ${mechanism}${initial ? ` ${hidden}` : ''}`)
  let sent = initial
  for (let turn = 0; turn < 3; turn += 1) {
    const line = await dialogue.readLine()
    if (tryParseChallenge(line) === undefined) {
      const status = tryParseStatus(line)
      if (status !== undefined) return status
      break
    }
    // A challenge behind the response says why XOAUTH2 has failed; an empty line asks for the verdict.
    dialogue.send(sent ? '' : response, sent ? '' : hidden)
    sent = true
  }
  return dialogue.readStatus()
}

function unsendable(mechanism: Mechanism, what: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `log on to POP3 with ${mechanism}: ${what}`)
}
