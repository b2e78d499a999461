import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { skipUnless } from '@sallyport/real-backends'

/** A process that reads and writes packets with pysap. It is a peer of tests alone: nothing of it is imported or shipped. */
export interface PysapPeer extends AsyncDisposable {
  /** What pysap makes of bytes: the fields it finds, and the bytes it renders of them. */
  parse(packetClass: string, bytes: Buffer): Promise<{ readonly fields: Readonly<Record<string, unknown>>; readonly again: Buffer }>
  /** The bytes of a packet that pysap builds. */
  build(packetClass: string, fields: Readonly<Record<string, unknown>>): Promise<Buffer>
}

const version = '0.2.1'
const folder = join(import.meta.dirname, '..', 'node_modules', `.pysap-${version}`)
const python = join(folder, 'bin', 'python')

/** Installs pysap for itself, once per checkout; whether that is impossible here is said on standard error. */
export async function pysapIsMissing(): Promise<boolean> {
  if (skipUnless('python3')) return true
  if (existsSync(join(folder, 'installed'))) return false
  const run = promisify(execFile)
  try {
    await run('python3', ['-m', 'venv', folder], { timeout: 60_000 })
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `pysap==${version}`], { timeout: 100_000 })
    await run(python, ['-c', `import pysap.SAPRFC, pathlib; pathlib.Path(${JSON.stringify(join(folder, 'installed'))}).touch()`], {
      timeout: 20_000,
    })
    return false
  } catch (error) {
    // It comes from a registry that not every machine reaches; unlike programs of the distribution it cannot be demanded.
    process.stderr.write(
      `\n*** SKIPPED against the real world: pysap ${version} cannot be installed: ${String(error).split('\n')[0]} ***\n`,
    )
    return true
  }
}

export function startPysap(): PysapPeer {
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
