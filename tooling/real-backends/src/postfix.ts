import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startForeground } from './foreground.ts'
import { createMaildir, type Maildir } from './maildir.ts'
import { findProgram, idOf } from './programs.ts'
import { startOnFreePorts } from './start-on-free-ports.ts'

const run = promisify(execFile)

/** How the relay is set up. */
export interface PostfixOptions {
  /** PEM; with it there is an smtps port, and STARTTLS on the other. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Users at acme.test; nobody else gets mail. */
  readonly mailboxes: readonly string[]
  /** Port of a Dovecot that knows who may log on; with it mail is taken only from those who have. */
  readonly saslPort?: number
  /** More lines of main.cf. */
  readonly configuration?: string
}

/** A relay that takes mail for acme.test. */
export interface Postfix extends AsyncDisposable {
  readonly port: number
  /** Of smtps; nobody listens there without `tls`. */
  readonly securePort: number
  readonly mailbox: (user: string) => Maildir
  /** One line for every connection, log-on and message. */
  readonly log: () => string
  stop(signal?: NodeJS.Signals): Promise<void>
}

const startTimeoutMs = 15_000
const daemons = '/usr/lib/postfix/sbin'

/** Starts the system's Postfix in the foreground, with queue and mailboxes of its own. Only root can. The caller stops it. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-postfix-'))
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const owner = await idOf('postfix')
    const nobody = await idOf('nobody')
    // Its parts run as several users.
    chmodSync(folder, 0o755)
    for (const name of ['config', 'queue', 'data', 'mail']) mkdirSync(join(folder, name))
    chownSync(join(folder, 'data'), owner.uid, owner.gid)
    chownSync(join(folder, 'mail'), nobody.uid, nobody.gid)
    for (const user of options.mailboxes) {
      const box = join(folder, 'mail', user)
      mkdirSync(box)
      chownSync(box, nobody.uid, nobody.gid)
    }
    const config = join(folder, 'config')
    const { program, ports } = await startOnFreePorts(['smtp', 'smtps'], {
      async start({ smtp, smtps }) {
        writeFileSync(join(config, 'main.cf'), mainConfiguration(folder, options, nobody.uid))
        writeFileSync(join(config, 'master.cf'), masterConfiguration(options, smtp, smtps))
        // Makes the folders of the queue.
        await run(findProgram('postfix') ?? 'postfix', ['-c', config, 'check'])
        return startForeground({
          program: 'bash',
          // Stays in the foreground, as the leader of a session. It opens its log by name, which has to be a pipe and no socket.
          args: ['-c', `exec ${daemons}/master -c "$0" -s > >(exec cat 1>&2)`, config],
          ready: /daemon started/,
          timeoutMs: startTimeoutMs,
          // Ends its children as well.
          stopSignal: 'SIGTERM',
        })
      },
    })
    const postfix: Postfix = {
      port: ports.smtp,
      securePort: ports.smtps,
      mailbox: (user) => createMaildir(join(folder, 'mail', user)),
      log: program.stderr,
      stop: (signal) => program.stop(signal).finally(removeFolder),
      [Symbol.asyncDispose]: () => postfix.stop(),
    }
    return postfix
  } catch (error) {
    removeFolder()
    throw error
  }
}

function mainConfiguration(folder: string, { tls, mailboxes, saslPort, configuration = '' }: PostfixOptions, nobody: number): string {
  if (tls !== undefined) {
    writeFileSync(join(folder, 'config', 'server.pem'), `${tls.key}\n${tls.certificate}`, { mode: 0o600 })
  }
  const boxes = mailboxes.map((user) => `{${user}@acme.test = ${user}/}`).join(' ')
  return [
    'compatibility_level = 3.6',
    `queue_directory = ${folder}/queue`,
    `data_directory = ${folder}/data`,
    `daemon_directory = ${daemons}`,
    'command_directory = /usr/sbin',
    'mail_owner = postfix',
    'setgid_group = postdrop',
    'maillog_file = /dev/stdout',
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    'myhostname = relay.acme.test',
    'mydestination =',
    'mynetworks =',
    'alias_maps =',
    'disable_dns_lookups = yes',
    'smtpd_peername_lookup = no',
    'virtual_mailbox_domains = acme.test',
    `virtual_mailbox_base = ${folder}/mail`,
    `virtual_mailbox_maps = inline:{ ${boxes} }`,
    `virtual_uid_maps = static:${nobody}`,
    `virtual_gid_maps = static:${nobody}`,
    'virtual_minimum_uid = 1',
    'message_size_limit = 0',
    'virtual_mailbox_limit = 0',
    // A refusal is a test, not an attack.
    'smtpd_error_sleep_time = 0',
    'smtpd_hard_error_limit = 1000',
    'smtpd_client_connection_rate_limit = 0',
    ...(tls === undefined ? [] : ['smtpd_tls_security_level = may', `smtpd_tls_chain_files = ${folder}/config/server.pem`]),
    ...(saslPort === undefined
      ? []
      : [
          'smtpd_sasl_auth_enable = yes',
          'smtpd_sasl_type = dovecot',
          `smtpd_sasl_path = inet:127.0.0.1:${saslPort}`,
          'smtpd_sasl_security_options = noanonymous',
          'smtpd_recipient_restrictions = permit_sasl_authenticated, reject',
        ]),
    configuration,
    '',
  ].join('\n')
}

function masterConfiguration({ tls }: PostfixOptions, port: number, securePort: number): string {
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    ...(tls === undefined ? [] : [`127.0.0.1:${securePort} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes`]),
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'rewrite unix - - n - - trivial-rewrite',
    ...['bounce', 'defer', 'trace'].map((name) => `${name} unix - - n - 0 bounce`),
    'proxymap unix - - n - - proxymap',
    ...['error', 'retry'].map((name) => `${name} unix - - n - - error`),
    'virtual unix - n n - - virtual',
    'anvil unix - - n - 1 anvil',
    'postlog unix-dgram n - n - 1 postlogd',
  ]
  return `${services.join('\n')}\n`
}
