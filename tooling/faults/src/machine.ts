import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runFolder } from './isolation.ts'
import { addressOf, type MachineName } from './network.ts'

/** One machine: a network namespace, a disk of its own, and one process of the product. */
export interface Machine {
  readonly name: MachineName
  readonly address: string
  /** Where its process speaks TLS. */
  readonly port: number
  /** Its disk: everything that it keeps. */
  readonly data: string
  /** Starts its process; the caller waits until it answers. */
  start(): void
  /** Ends it at once, wherever it is. */
  kill(): Promise<void>
  freeze(): void
  thaw(): void
  /** Sets its wall clock so many seconds away from the real one. What measures time that has passed is left alone, as when an administrator sets a clock. */
  setClock(offsetSeconds: number): void
  /** Fills the disk to the last byte. The returned function makes room again. */
  fillDisk(): () => void
  /** Runs `sallyport` on it, to its end, and returns the document that it printed. @throws Error with what it said. */
  command(words: readonly string[]): Promise<unknown>
  /** The last that its process said, for messages. */
  complaints(): string
}

const main = join(import.meta.dirname, '..', '..', '..', 'apps', 'sallyport', 'dist', 'main.js')
const diskBytes = 64 * 1024 * 1024
const commandTimeoutMs = 30_000

/** Sets a machine up, with an empty disk. `serve` are the words behind `sallyport serve`. `clockLibrary` is libfaketime, where there is one. */
export function createMachine(
  name: MachineName,
  { clockLibrary, port, serve }: { readonly serve: readonly string[]; readonly port: number; readonly clockLibrary: string | undefined },
): Machine {
  const data = join(runFolder, name)
  const clock = join(runFolder, `${name}.clock`)
  mkdirSync(data, { mode: 0o700 })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes},mode=700`, 'tmpfs', data])
  writeFileSync(clock, '+0\n')
  const environment = { ...process.env, NO_COLOR: '1', ...(clockLibrary === undefined ? {} : clockVariables(clockLibrary, clock)) }
  const wordsFor = (words: readonly string[]): string[] => ['netns', 'exec', name, process.execPath, main, '--data', data, ...words]
  let child: ChildProcess | undefined
  let said = ''
  const signal = (kind: NodeJS.Signals): void => {
    if (child?.kill(kind) !== true) throw new Error(`${name} does not run: ${said.slice(-500)}`)
  }
  return {
    name,
    data,
    address: addressOf(name),
    port,
    start() {
      child = spawn('ip', wordsFor(['serve', ...serve]), { cwd: data, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-20_000)))
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      signal('SIGKILL')
      await gone
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    setClock: (offsetSeconds) => writeFileSync(clock, `${offsetSeconds >= 0 ? '+' : ''}${offsetSeconds}\n`),
    fillDisk() {
      const file = join(data, 'filler')
      fill(data, file)
      return () => rmSync(file)
    },
    async command(words) {
      const options = { cwd: data, env: environment, timeout: commandTimeoutMs, maxBuffer: 16 * 1024 * 1024 }
      const { stdout } = await promisify(execFile)('ip', wordsFor(['--json', ...words]), options)
      return JSON.parse(stdout)
    },
    complaints: () => said,
  }
}

/** Only the wall clock is moved, and it is looked up once a second. */
function clockVariables(library: string, file: string): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_RESET: '1',
    NO_FAKE_STAT: '1',
  }
}

/** Also takes what a process frees meanwhile: it goes on until not one byte fits. */
function fill(folder: string, file: string): void {
  const block = Buffer.alloc(1024 * 1024)
  const handle = openSync(file, 'a')
  try {
    for (let size = block.length; size > 0;) {
      try {
        writeSync(handle, block, 0, size)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        size = Math.floor(size / 2)
      }
    }
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  if (statfsSync(folder).bfree > 0) throw new Error(`${folder} could not be filled`)
}

/** A text file on the disk of a machine. */
export function readText(machine: Machine, ...path: readonly string[]): string {
  return readFileSync(join(machine.data, ...path), 'utf8')
}
