import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startForeground } from './foreground.ts'
import { startOnFreePorts } from './start-on-free-ports.ts'

export interface HttpdOptions {
  /** Modules beside those that every server needs, by name without `mod_`. */
  readonly modules: readonly string[]
  /** Lines for the server; `folder` belongs to this server and is removed with it. Its workers can write into `writable` in there. */
  readonly configuration: (own: { readonly folder: string }) => string
  /** On top of the environment of this process. */
  readonly environment?: (own: { readonly folder: string }) => Readonly<Record<string, string>>
}

/** An Apache httpd that answers `GET /` with `hello`. */
export interface Httpd extends AsyncDisposable {
  readonly port: number
  /** What it has logged as errors. */
  readonly errors: () => string
  stop(): Promise<void>
}

const startTimeoutMs = 10_000
const modules = ['mpm_worker', 'authn_core', 'authz_core', 'authz_user', 'dir', 'headers'] as const

/** Starts the system's apache2 in the foreground with a private configuration. The caller stops it. */
export async function startHttpd(options: HttpdOptions): Promise<Httpd> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-httpd-'))
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    // Its workers are somebody else when root starts it.
    chmodSync(folder, 0o755)
    mkdirSync(join(folder, 'pages'))
    mkdirSync(join(folder, 'writable'))
    chmodSync(join(folder, 'writable'), 0o777)
    writeFileSync(join(folder, 'pages', 'index.html'), 'hello')
    const file = join(folder, 'httpd.conf')
    const { program, ports } = await startOnFreePorts(['http'], {
      start({ http }) {
        writeFileSync(file, wholeConfiguration(folder, http, options))
        return startForeground({
          program: 'apache2',
          args: ['-DFOREGROUND', '-e', 'debug', '-f', file],
          // The last thing it says there; it listens a little later.
          ready: /loaded module headers_module/,
          timeoutMs: startTimeoutMs,
          // It ends its workers then.
          stopSignal: 'SIGTERM',
          ...(options.environment === undefined ? {} : { environment: options.environment({ folder }) }),
        })
      },
      listensLate: ['http'],
    })
    const httpd: Httpd = {
      port: ports.http,
      errors: () => readFileSync(join(folder, 'errors'), 'utf8'),
      stop: () => program.stop().finally(removeFolder),
      [Symbol.asyncDispose]: () => httpd.stop(),
    }
    return httpd
  } catch (error) {
    removeFolder()
    throw error
  }
}

function wholeConfiguration(folder: string, port: number, options: HttpdOptions): string {
  return [
    ...[...options.modules, ...modules].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
    `ServerRoot ${folder}`,
    `DefaultRuntimeDir ${folder}`,
    `PidFile ${folder}/pid`,
    'ServerName backend.acme.test',
    `Listen 127.0.0.1:${port}`,
    'User nobody',
    'Group nogroup',
    'StartServers 1',
    // It cannot open what Node gives its children as standard error.
    `ErrorLog ${folder}/errors`,
    'LogLevel notice',
    `DocumentRoot ${folder}/pages`,
    'DirectoryIndex index.html',
    'KeepAlive On',
    options.configuration({ folder }),
    '',
  ].join('\n')
}
