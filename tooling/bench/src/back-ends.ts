import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort } from '@sallyport/real-backends'
import type { Certificates } from './contender.ts'
import { startNginx } from './contenders/nginx.ts'
import { accepting, start } from './processes.ts'

/** Ports of what the tunnels lead to. */
export interface BackEnds {
  readonly echo: number
  readonly source: number
  readonly iperf: number
  readonly http: number
  /** Asks for a client certificate and takes any. */
  readonly https: number
}

/** Bytes of an HTTP answer. */
const answerBytes = 1024

/** Starts every back end on the connector's side; they last as long as the run. */
export async function startBackEnds(options: {
  readonly loadTool: string
  readonly folder: string
  readonly certificates: Certificates
}): Promise<BackEnds> {
  const { loadTool, folder, certificates } = options
  const iperf = await freePort()
  const http = await freePort()
  const https = await freePort()
  const echo = start({ side: 'connector', command: loadTool, args: ['echo'] })
  const source = start({ side: 'connector', command: loadTool, args: ['source'] })
  const iperfServer = start({
    side: 'connector',
    command: findProgram('iperf3') ?? 'iperf3',
    args: ['-s', '-B', '127.0.0.1', '-p', String(iperf)],
  })
  const file = (name: string): string => join(folder, name)
  writeFileSync(file('back-end.pem'), certificates.server.certificate)
  writeFileSync(file('back-end.key'), certificates.server.key, { mode: 0o600 })
  const answer = `location / { return 200 "${'x'.repeat(answerBytes)}"; }`
  const tls = `ssl_certificate ${file('back-end.pem')}; ssl_certificate_key ${file('back-end.key')}; ssl_verify_client optional_no_ca;`
  const nginx = startNginx(
    { folder, start: (side, command, args) => start({ side, command, args }) },
    'connector',
    [
      `server { listen 127.0.0.1:${http} backlog=4096; ${answer} }`,
      `server { listen 127.0.0.1:${https} ssl backlog=4096; ${tls} ${answer} }`,
    ],
    'back-end',
  )
  await Promise.all([accepting(iperf, iperfServer), accepting(http, nginx)])
  return {
    echo: Number((await echo.answer('port'))['port']),
    source: Number((await source.answer('port'))['port']),
    iperf,
    http,
    https,
  }
}
