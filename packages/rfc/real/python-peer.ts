import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A process in Python that answers one line of JSON with another. */
export interface PythonPeer extends AsyncDisposable {
  ask(request: unknown): Promise<Readonly<Record<string, unknown>>>
}

export function startPythonPeer(python: string, script: string): PythonPeer {
  const peer = spawn(python, [join(import.meta.dirname, script)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]()
  return {
    async ask(request) {
      peer.stdin.write(`${JSON.stringify(request)}\n`)
      const answer = await answers.next()
      if (answer.done === true) throw new Error(`${script} has ended`)
      return JSON.parse(answer.value) as Readonly<Record<string, unknown>>
    },
    async [Symbol.asyncDispose]() {
      peer.stdin.end()
      if (peer.exitCode !== null || peer.signalCode !== null) return
      const exited = once(peer, 'exit')
      // It may be waiting for a socket of a test that failed.
      peer.kill()
      await exited
    },
  }
}
