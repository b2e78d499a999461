import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startForeground } from './foreground.ts'
import { startOnFreePorts } from './start-on-free-ports.ts'

export interface NginxOptions {
  /** The content of the `http` block; has to hold a server that listens on `127.0.0.1:<port>`. `folder` is private to this nginx and removed with it. */
  readonly configuration: (own: { readonly port: number; readonly folder: string }) => string
}

export interface Nginx extends AsyncDisposable {
  readonly port: number
  /** What it has logged as errors and notices. */
  readonly errors: () => string
  stop(): Promise<void>
}

const startTimeoutMs = 10_000

/** Starts the system's nginx as one foreground process with a private configuration. The caller stops it. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-nginx-'))
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const file = join(folder, 'nginx.conf')
    const { program, ports } = await startOnFreePorts(['http'], {
      start({ http }) {
        writeFileSync(file, wholeConfiguration(folder, options.configuration({ port: http, folder })))
        return startForeground({
          program: 'nginx',
          args: ['-p', folder, '-c', file, '-e', 'stderr'],
          // With one process this notice comes after all sockets listen.
          ready: /using the "epoll" event method/,
          timeoutMs: startTimeoutMs,
        })
      },
    })
    const nginx: Nginx = {
      port: ports.http,
      errors: program.stderr,
      stop: () => program.stop().finally(removeFolder),
      [Symbol.asyncDispose]: () => nginx.stop(),
    }
    return nginx
  } catch (error) {
    removeFolder()
    throw error
  }
}

function wholeConfiguration(folder: string, http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((use) => `  ${use}_temp_path ${folder}/${use};`)
  return `daemon off;
master_process off;
worker_processes 1;
pid ${folder}/pid;
error_log stderr notice;
events { use epoll; worker_connections 1024; }
http {
  access_log off;
${temporary.join('\n')}
${http}
}
`
}
