import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pause, run, type Running, start } from '../processes.ts'

const main = join(import.meta.dirname, '..', '..', '..', '..', 'apps', 'sallyport', 'dist', 'main.js')

/** Runs a command of the product to its end; the parsed answer. */
export async function sallyport<Answer>(data: string, ...words: readonly string[]): Promise<Answer> {
  const output = await run({ side: 'cloud', command: process.execPath, args: [main, '--data', data, '--json', ...words] }, 60_000)
  return JSON.parse(output) as Answer
}

/** Starts parts of the product as a process of its own. */
export function serve(data: string, roles: string, ...words: readonly string[]): Running {
  return start({
    side: 'connector',
    command: process.execPath,
    args: [main, '--data', data, 'serve', roles, '--log-level', 'warn', ...words],
  })
}

/** A back end that answers everything; it ends with the process. */
export async function startBackend(): Promise<number> {
  const server = createServer((_request, response) => response.end('ok'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return (server.address() as AddressInfo).port
}

/** Milliseconds until a request through the proxy is answered by the back end. */
export async function untilServed(proxy: { readonly port: number; readonly token: string }, url: string, limitMs: number): Promise<number> {
  const begun = performance.now()
  while (performance.now() - begun < limitMs) {
    if ((await statusThrough(proxy, url)) === 200) return performance.now() - begun
    await pause(5)
  }
  throw new Error(`${url} was not served within ${limitMs} ms`)
}

/** @throws Error when one of the requests is not answered by the back end. */
export async function requestEach(proxy: { readonly port: number; readonly token: string }, urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    const status = await statusThrough(proxy, url)
    if (status !== 200) throw new Error(`${url} was answered ${status}`)
  }
}

function statusThrough({ port, token }: { readonly port: number; readonly token: string }, url: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { host: new URL(url).host, 'proxy-authorization': `Bearer ${token}` }
    const sent = request({ host: '127.0.0.1', port, path: url, headers, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', () => resolve(0)).end()
  })
}

/** Megabytes that a process holds, and has held at most. */
export function memoryOf(pid: number): { readonly heldMb: number; readonly mostMb: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string): number => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1]) / 1_000)
  return { heldMb: read('VmRSS'), mostMb: read('VmHWM') }
}

/** Bytes of the largest file below a folder: the sealed document, in the folder of an administered connector with many mappings. */
export function largestFile(folder: string): number {
  return Math.max(
    0,
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).size),
  )
}
