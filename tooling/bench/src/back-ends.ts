import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort } from '@sallyport/real-backends'
import { startNginx } from './contenders/nginx.ts'
import { accepting, start } from './processes.ts'

/** Ports of what the tunnels lead to. */
export interface BackEnds {
  readonly echo: number
  readonly source: number
  readonly iperf: number
  readonly http: number
}

/** Bytes of an HTTP answer. */
const answerBytes = 1024

/** Starts every back end on the connector's side; they last as long as the run. */
export async function startBackEnds(options: { readonly loadTool: string; readonly folder: string }): Promise<BackEnds> {
  const { loadTool, folder } = options
  mkdirSync(folder, { recursive: true })
  const echo = start({ side: 'connector', command: loadTool, args: ['echo'] })
  const source = start({ side: 'connector', command: loadTool, args: ['source'] })
  const iperf = await freePort()
  const iperfServer = start({
    side: 'connector',
    command: findProgram('iperf3') ?? 'iperf3',
    args: ['-s', '-B', '127.0.0.1', '-p', String(iperf)],
  })
  const http = await freePort()
  const nginx = startNginx(
    { folder: join(folder), start: (side, command, args) => start({ side, command, args }) },
    'connector',
    [`server { listen 127.0.0.1:${http} backlog=4096; location / { return 200 "${'x'.repeat(answerBytes)}"; } }`],
    'back-end',
  )
  await Promise.all([accepting(iperf, iperfServer), accepting(http, nginx)])
  return { echo: Number((await echo.answer('port'))['port']), source: Number((await source.answer('port'))['port']), iperf, http }
}
