import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { installPythonPackage } from '@sallyport/real-backends'

/** A process that reads and writes packets with pysap. It is a peer of tests alone: nothing of it is imported or shipped. */
export interface PysapPeer extends AsyncDisposable {
  /** What pysap makes of bytes: the fields it finds, and the bytes it renders of them. */
  parse(packetClass: string, bytes: Buffer): Promise<{ readonly fields: Readonly<Record<string, unknown>>; readonly again: Buffer }>
  /** The bytes of a packet that pysap builds. */
  build(packetClass: string, fields: Readonly<Record<string, unknown>>): Promise<Buffer>
}

/** The interpreter that has pysap, installed once per checkout; `undefined` where that is impossible. */
export function installPysap(): Promise<string | undefined> {
  return installPythonPackage({ name: 'pysap', version: '0.2.1', module: 'pysap.SAPRFC' }, join(import.meta.dirname, '..', 'node_modules'))
}

export function startPysap(python: string): PysapPeer {
  const peer = spawn(python, [join(import.meta.dirname, 'pysap_peer.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]()
  async function ask(request: unknown): Promise<Readonly<Record<string, unknown>>> {
    peer.stdin.write(`${JSON.stringify(request)}\n`)
    const answer = await answers.next()
    if (answer.done === true) throw new Error('pysap has ended')
    return JSON.parse(answer.value) as Readonly<Record<string, unknown>>
  }
  return {
    async parse(packetClass, bytes) {
      const { fields, again } = await ask({ parse: packetClass, hex: bytes.toString('hex') })
      return { fields: fields as Readonly<Record<string, unknown>>, again: Buffer.from(String(again), 'hex') }
    },
    async build(packetClass, fields) {
      const { hex } = await ask({ build: { class: packetClass, fields } })
      return Buffer.from(String(hex), 'hex')
    },
    async [Symbol.asyncDispose]() {
      peer.stdin.end()
      if (peer.exitCode === null) await once(peer, 'exit')
    },
  }
}
