import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import type { Installation } from './installation.ts'

/** A running application router. */
export interface Approuter extends AsyncDisposable {
  readonly url: string
  readonly running: () => boolean
  /** The end of what it has said. */
  readonly output: () => string
}

const patienceMs = 20_000
const maxOutput = 4000

/** Starts a released application router (`approuter21`, …) with the bindings in its environment, and waits until it accepts connections. */
export async function startApprouter(
  stack: Installation,
  name: string,
  application: Readonly<Record<string, unknown>>,
): Promise<Approuter> {
  const folder = stack.file(`application-of-${name}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'xs-app.json'), JSON.stringify(application))
  const main = createRequire(import.meta.url).resolve(`${name}/approuter.js`)
  const port = await freePort()
  const child = stack.startProgram(['exec', '--', process.execPath, main, '--port', String(port), '-w', folder], {
    // A redirect instead of a page with a script.
    PRESERVE_FRAGMENT: 'false',
    STATE_PARAMETER_SECRET: 'state-of-this-test',
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-maxOutput)))
  const running = (): boolean => child.exitCode === null && child.signalCode === null
  const deadline = Date.now() + patienceMs
  while (!(await accepts(port))) {
    if (!running() || Date.now() > deadline) throw new Error(`${name} does not listen: ${said}`)
  }
  return {
    url: `http://localhost:${port}`,
    running,
    output: () => said,
    async [Symbol.asyncDispose]() {
      if (!running()) return
      const gone = once(child, 'exit')
      child.kill()
      await gone
    },
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection(port, 'localhost')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
