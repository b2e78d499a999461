import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ProcessOwner, startForeground } from './foreground.ts'
import { createMaildir, type Maildir } from './maildir.ts'
import { findProgram, idOf } from './programs.ts'
import { startOnFreePorts } from './start-on-free-ports.ts'

/** How the relay is set up. */
export interface EximOptions {
  /** PEM; with it there is STARTTLS. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Users at acme.test; nobody else gets mail. */
  readonly mailboxes: readonly string[]
  /** With it mail is taken only from those who have logged on, by PLAIN or LOGIN. */
  readonly user?: { readonly name: string; readonly password: string }
}

/** A relay that takes mail for acme.test. */
export interface Exim extends AsyncDisposable {
  readonly port: number
  readonly mailbox: (user: string) => Maildir
  /** Its log of connections and messages. */
  readonly log: () => string
  stop(signal?: NodeJS.Signals): Promise<void>
}

const startTimeoutMs = 15_000
/** Debian's name for the user that it becomes, built into the program. */
const systemUser = 'Debian-exim'

/** Starts Exim in the foreground, with spool and mailboxes of its own. Only root can. The caller stops it. */
export async function startExim(options: EximOptions): Promise<Exim> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-exim-'))
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const owner = await idOf(systemUser)
    chmodSync(folder, 0o755)
    const make = (name: string): void => {
      mkdirSync(join(folder, name))
      chownSync(join(folder, name), owner.uid, owner.gid)
    }
    for (const name of ['spool', 'log', 'mail', ...options.mailboxes.map((user) => `mail/${user}`)]) make(name)
    writeFor(owner, join(folder, 'log', 'mainlog'), '')
    writeFor(owner, join(folder, 'server.pem'), options.tls?.certificate ?? '')
    writeFor(owner, join(folder, 'server.key'), options.tls?.key ?? '')
    const file = join(folder, 'exim.conf')
    writeFileSync(file, wholeConfiguration(folder, options))
    const { program, ports } = await startOnFreePorts(['smtp'], {
      start: ({ smtp }) =>
        startForeground({
          program: 'bash',
          // It writes its log to files only; tail ends with it.
          args: [
            '-c',
            'tail --pid=$$ -n +1 -F "$2/log/mainlog" >&2 & exec "$0" -C "$1" -bdf -oX "127.0.0.1:$3"',
            findProgram('exim4') ?? 'exim4',
            file,
            folder,
            String(smtp),
          ],
          ready: /daemon started/,
          timeoutMs: startTimeoutMs,
          stopSignal: 'SIGTERM',
        }),
    })
    const exim: Exim = {
      port: ports.smtp,
      mailbox: (user) => createMaildir(join(folder, 'mail', user)),
      log: program.stderr,
      stop: (signal) => program.stop(signal).finally(removeFolder),
      [Symbol.asyncDispose]: () => exim.stop(),
    }
    return exim
  } catch (error) {
    removeFolder()
    throw error
  }
}

function writeFor(owner: ProcessOwner, file: string, content: string): void {
  writeFileSync(file, content, { mode: 0o600 })
  chownSync(file, owner.uid, owner.gid)
}

function wholeConfiguration(folder: string, { tls, mailboxes, user }: EximOptions): string {
  const authenticators =
    user === undefined
      ? []
      : [
          'begin authenticators',
          `plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  server_condition = \${if and{{eq{$auth2}{${user.name}}}{eq{$auth3}{${user.password}}}}}\n  server_set_id = $auth2`,
          `login:\n  driver = plaintext\n  public_name = LOGIN\n  server_prompts = User Name : Password\n  server_condition = \${if and{{eq{$auth1}{${user.name}}}{eq{$auth2}{${user.password}}}}}\n  server_set_id = $auth1`,
        ]
  return [
    `exim_path = ${findProgram('exim4') ?? ''}`,
    `spool_directory = ${folder}/spool`,
    `log_file_path = ${folder}/log/%slog`,
    'primary_hostname = relay.acme.test',
    'local_interfaces = 127.0.0.1',
    'keep_environment =',
    'host_lookup =',
    'rfc1413_query_timeout = 0s',
    'smtp_accept_max_nonmail = 1000',
    'message_size_limit = 0',
    // Deliveries run as the program itself, which has given up the right to become somebody else.
    'deliver_drop_privilege = true',
    'acl_smtp_rcpt = recipients',
    'acl_smtp_data = accept',
    ...(tls === undefined
      ? ['tls_advertise_hosts =']
      : ['tls_advertise_hosts = *', `tls_certificate = ${folder}/server.pem`, `tls_privatekey = ${folder}/server.key`]),
    'begin acl',
    'recipients:',
    ...(user === undefined ? [] : ['  deny !authenticated = *\n    message = log on first']),
    `  accept domains = acme.test\n    local_parts = ${mailboxes.join(' : ')}`,
    '  deny message = no such user',
    ...authenticators,
    'begin routers',
    // What comes from outside names a folder only after it was found in a list.
    `box:\n  driver = accept\n  local_parts = ${mailboxes.join(' : ')}\n  transport = maildir`,
    'begin transports',
    `maildir:\n  driver = appendfile\n  maildir_format\n  directory = ${folder}/mail/$local_part_data`,
    '',
  ].join('\n')
}
