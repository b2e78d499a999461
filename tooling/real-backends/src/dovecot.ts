import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type ProcessOwner, startForeground } from './foreground.ts'
import { type Ports, startOnFreePorts } from './start-on-free-ports.ts'

/** How the mail server is set up. */
export interface DovecotOptions {
  /** PEM; with it there are imaps and pop3s ports, and STARTTLS and STLS on the others. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Passwords by user. */
  readonly users: Readonly<Record<string, string>>
  /** What each mailbox holds from the start, oldest first; LF ends the lines. */
  readonly messages?: Readonly<Record<string, readonly string[]>>
  /** Where tokens are looked up (RFC 7662, by POST); with it there are XOAUTH2 and OAUTHBEARER. `username` of the answer has to be the user. */
  readonly introspection?: URL
  /** Whether other servers may ask it who may log on; the default is no. */
  readonly sasl?: boolean
  /** More lines of dovecot.conf. */
  readonly configuration?: string
}

/** A mail server for IMAP and POP3. */
export interface Dovecot extends AsyncDisposable {
  readonly imapPort: number
  readonly pop3Port: number
  /** Nobody listens on these without `tls`. */
  readonly imapsPort: number
  readonly pop3sPort: number
  /** Where other servers ask who may log on, such as Postfix; nobody listens there without `sasl`. */
  readonly saslPort: number
  /** One line for every logon, and for every session that ended. */
  readonly log: () => string
  stop(signal?: NodeJS.Signals): Promise<void>
}

const startTimeoutMs = 15_000
const portNames = ['imap', 'pop3', 'imaps', 'pop3s', 'sasl'] as const

/** Starts the system's Dovecot in the foreground, with mailboxes of its own. The caller stops it. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-dovecot-'))
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true })
  const owner = unprivileged()
  try {
    const give = (path: string): void => (owner === undefined ? undefined : chownSync(path, owner.uid, owner.gid))
    give(folder)
    fillMailboxes(folder, options, give)
    const file = join(folder, 'dovecot.conf')
    const { program, ports } = await startOnFreePorts(portNames, {
      start(chosen) {
        writeFileSync(file, wholeConfiguration(folder, options, chosen, owner))
        return startForeground({
          program: 'dovecot',
          args: ['-F', '-c', file],
          ready: /starting up for/,
          timeoutMs: startTimeoutMs,
          // Its children end with it.
          stopSignal: 'SIGTERM',
          ...(owner === undefined ? {} : { owner }),
        })
      },
    })
    const dovecot: Dovecot = {
      imapPort: ports.imap,
      pop3Port: ports.pop3,
      imapsPort: ports.imaps,
      pop3sPort: ports.pop3s,
      saslPort: ports.sasl,
      log: program.stderr,
      stop: (signal) => program.stop(signal).finally(removeFolder),
      [Symbol.asyncDispose]: () => dovecot.stop(),
    }
    return dovecot
  } catch (error) {
    removeFolder()
    throw error
  }
}

/** Maildir: one file for each message, whose order is that of their names. */
function fillMailboxes(folder: string, { users, messages = {} }: DovecotOptions, give: (path: string) => void): void {
  const lines = Object.entries(users).map(([user, password]) => `${user}:{PLAIN}${password}\n`)
  writeFileSync(join(folder, 'passwd'), lines.join(''))
  const make = (path: string): string => {
    mkdirSync(path)
    give(path)
    return path
  }
  const mail = make(join(folder, 'mail'))
  for (const user of Object.keys(users)) {
    const box = make(join(mail, user))
    for (const name of ['cur', 'new', 'tmp']) make(join(box, name))
    for (const [index, message] of (messages[user] ?? []).entries()) {
      const file = join(box, 'new', `${1_700_000_000 + index}.M${index}P1.sallyport`)
      writeFileSync(file, message)
      give(file)
    }
  }
}

/** Everything runs as one user, who need not be root and must not: mail of root is not served. */
function wholeConfiguration(
  folder: string,
  { tls, introspection, sasl: servesOthers = false, configuration = '' }: DovecotOptions,
  { imap, pop3, imaps, pop3s, sasl }: Ports<(typeof portNames)[number]>,
  owner: ProcessOwner | undefined,
): string {
  const { uid, gid, username } = owner === undefined ? userInfo() : { ...owner, username: 'nobody' }
  const group = owner === undefined ? execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim() : 'nogroup'
  if (tls !== undefined) {
    writeFileSync(join(folder, 'server.pem'), tls.certificate)
    writeFileSync(join(folder, 'server.key'), tls.key)
    if (owner !== undefined) chownSync(join(folder, 'server.key'), uid, gid)
  }
  if (introspection !== undefined) {
    const lookUp = [`introspection_url = ${introspection.href}`, 'introspection_mode = post', 'username_attribute = username']
    writeFileSync(join(folder, 'oauth2.conf'), [...lookUp, 'active_attribute = active', 'active_value = true', ''].join('\n'))
  }
  const listener = (name: string, port: number, secure: boolean): string =>
    `  inet_listener ${name} {\n    port = ${tls === undefined && secure ? 0 : port}\n${secure ? '    ssl = yes\n' : ''}  }`
  return [
    `base_dir = ${folder}/run`,
    `state_dir = ${folder}/state`,
    'log_path = /dev/stderr',
    'auth_verbose = yes',
    'protocols = imap pop3',
    'listen = 127.0.0.1',
    `default_internal_user = ${username}`,
    `default_internal_group = ${group}`,
    `default_login_user = ${username}`,
    'disable_plaintext_auth = no',
    `auth_mechanisms = plain login${introspection === undefined ? '' : ' xoauth2 oauthbearer'}`,
    // A refusal is a test, not an attack.
    'auth_failure_delay = 0',
    `service auth {\n  user =\n${servesOthers ? `  inet_listener sasl {\n    address = 127.0.0.1\n    port = ${sasl}\n  }\n` : ''}}`,
    'service auth-worker {\n  user =\n}',
    'service anvil {\n  chroot =\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}',
    'service imap-login {\n  chroot =',
    listener('imap', imap, false),
    listener('imaps', imaps, true),
    '}',
    'service pop3-login {\n  chroot =',
    listener('pop3', pop3, false),
    listener('pop3s', pop3s, true),
    '}',
    `mail_location = maildir:${folder}/mail/%u`,
    'first_valid_uid = 1',
    'passdb {',
    '  driver = passwd-file',
    `  args = scheme=PLAIN username_format=%u ${folder}/passwd`,
    '}',
    ...(introspection === undefined
      ? []
      : ['passdb {', '  driver = oauth2', '  mechanisms = xoauth2 oauthbearer', `  args = ${folder}/oauth2.conf`, '}']),
    'userdb {',
    '  driver = static',
    `  args = uid=${uid} gid=${gid} home=${folder}/mail/%u`,
    '}',
    ...(tls === undefined ? ['ssl = no'] : ['ssl = yes', `ssl_cert = <${folder}/server.pem`, `ssl_key = <${folder}/server.key`]),
    configuration,
    '',
  ].join('\n')
}

/** Dovecot serves no mail of root. */
function unprivileged(): ProcessOwner | undefined {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined
}
