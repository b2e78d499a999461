import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Connections held open by another process, so that both ends need not share one descriptor limit. */
export interface Crowd extends AsyncDisposable {
  /** How many are still open. */
  count(): Promise<number>
}

/** Settles when all connections are open and have sent `bytes`. */
export async function openCrowd(port: number, count: number, bytes: Buffer): Promise<Crowd> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'half-open-clients.mjs'), String(port), String(count), bytes.toString('hex')],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  await readNumber(child)
  return {
    async count() {
      child.stdin?.write('\n')
      return await readNumber(child)
    },
    async [Symbol.asyncDispose]() {
      child.stdin?.end()
      await once(child, 'exit')
    },
  }
}

async function readNumber(child: ChildProcess): Promise<number> {
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return Number(line.toString())
}
