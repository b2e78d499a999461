import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startForeground } from './foreground.ts'
import { findProgram } from './programs.ts'
import { startOnFreePorts } from './start-on-free-ports.ts'

const run = promisify(execFile)

export interface SlapdOptions {
  /** PEM; with it there is an ldaps port, and StartTLS on the other. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string }
  /** What the directory holds from the start, its root included. The default is the root alone. */
  readonly ldif?: string
  /** Files with further schemas. */
  readonly schemas?: readonly string[]
  /** Lines for the database section of slapd.conf. */
  readonly configuration?: string
}

/** A directory for `dc=acme,dc=test`. */
export interface Slapd extends AsyncDisposable {
  readonly port: number
  /** Of ldaps; nobody listens there without `tls`. */
  readonly securePort: number
  readonly suffix: string
  readonly rootDn: string
  readonly rootPassword: string
  /** One line for every connection and operation it has seen. */
  readonly log: () => string
  stop(signal?: NodeJS.Signals): Promise<void>
}

const suffix = 'dc=acme,dc=test'
const rootDn = `cn=admin,${suffix}`
const rootPassword = 'root-password-of-slapd'
const startTimeoutMs = 10_000
const emptyDirectory = `dn: ${suffix}\nobjectClass: dcObject\nobjectClass: organization\ndc: acme\no: Acme\n`

/** Starts the system's slapd in the foreground, with an own database and the usual schemas. The caller stops it. */
export async function startSlapd(options: SlapdOptions = {}): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-slapd-'))
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const file = join(folder, 'slapd.conf')
    mkdirSync(join(folder, 'data'))
    writeFileSync(file, wholeConfiguration(folder, options))
    await fill(file, join(folder, 'start.ldif'), options.ldif ?? emptyDirectory)
    const schemes = options.tls === undefined ? (['ldap'] as const) : (['ldap', 'ldaps'] as const)
    const { program, ports } = await startOnFreePorts(['ldap', 'ldaps'], {
      start: (chosen) =>
        startForeground({
          program: 'slapd',
          // With this level it stays in the foreground and says what it does.
          args: ['-f', file, '-h', schemes.map((scheme) => `${scheme}://127.0.0.1:${chosen[scheme]}/`).join(' '), '-d', 'stats'],
          // By then its ports are bound.
          ready: /slapd starting/,
          timeoutMs: startTimeoutMs,
        }),
      listensLate: schemes,
    })
    const slapd: Slapd = {
      port: ports.ldap,
      securePort: ports.ldaps,
      suffix,
      rootDn,
      rootPassword,
      log: program.stderr,
      stop: (signal) => program.stop(signal).finally(removeFolder),
      [Symbol.asyncDispose]: () => slapd.stop(),
    }
    return slapd
  } catch (error) {
    removeFolder()
    throw error
  }
}

async function fill(configuration: string, file: string, ldif: string): Promise<void> {
  const program = findProgram('slapadd')
  if (program === undefined) throw new Error('slapadd is not installed')
  writeFileSync(file, ldif)
  await run(program, ['-q', '-f', configuration, '-l', file])
}

function wholeConfiguration(folder: string, { tls, configuration = '', schemas: further = [] }: SlapdOptions): string {
  if (tls !== undefined) {
    writeFileSync(join(folder, 'ca.pem'), tls.ca)
    writeFileSync(join(folder, 'server.pem'), tls.certificate)
    writeFileSync(join(folder, 'server.key'), tls.key, { mode: 0o600 })
  }
  const schemas = ['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`)
  const secured = ['CACertificateFile ca.pem', 'CertificateFile server.pem', 'CertificateKeyFile server.key']
  return [
    ...schemas,
    ...further.map((file) => `include ${file}`),
    `pidfile ${folder}/pid`,
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    ...(tls === undefined ? [] : secured.map((line) => `TLS${line.replace(' ', ` ${folder}/`)}`)),
    'database mdb',
    `suffix "${suffix}"`,
    `rootdn "${rootDn}"`,
    `rootpw ${rootPassword}`,
    `directory ${folder}/data`,
    'maxsize 1073741824',
    'dbnosync',
    configuration,
    '',
  ].join('\n')
}
