import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ForegroundProgram, startForeground } from './foreground.ts'
import { freePort } from './free-port.ts'
import { findProgram } from './programs.ts'

const run = promisify(execFile)

export interface SlapdOptions {
  /** PEM; with it there is an ldaps port, and StartTLS on the other. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string }
  /** What the directory holds from the start, its root included. The default is the root alone. */
  readonly ldif?: string
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
/** Chances that another process takes a port between choosing and binding it. */
const portAttempts = 5
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
    const { program, port, securePort } = await startOnFreePorts(file, options.tls !== undefined)
    const slapd: Slapd = {
      port,
      securePort,
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

async function startOnFreePorts(
  file: string,
  secure: boolean,
): Promise<{ readonly program: ForegroundProgram; readonly port: number; readonly securePort: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    const securePort = await freePort()
    const urls = [`ldap://127.0.0.1:${port}/`, ...(secure ? [`ldaps://127.0.0.1:${securePort}/`] : [])]
    try {
      const program = await startForeground({
        program: 'slapd',
        // With this level it stays in the foreground and says what it does.
        args: ['-f', file, '-h', urls.join(' '), '-d', 'stats'],
        ready: /slapd starting/,
        timeoutMs: startTimeoutMs,
      })
      return { program, port, securePort }
    } catch (error) {
      if (attempt >= portAttempts || !String(error).includes('Address already in use')) throw error
    }
  }
}

function wholeConfiguration(folder: string, { tls, configuration = '' }: SlapdOptions): string {
  if (tls !== undefined) {
    writeFileSync(join(folder, 'ca.pem'), tls.ca)
    writeFileSync(join(folder, 'server.pem'), tls.certificate)
    writeFileSync(join(folder, 'server.key'), tls.key, { mode: 0o600 })
  }
  const schemas = ['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`)
  const secured = ['CACertificateFile ca.pem', 'CertificateFile server.pem', 'CertificateKeyFile server.key']
  return [
    ...schemas,
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
