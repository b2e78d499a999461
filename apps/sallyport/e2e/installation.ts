import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { basePorts } from '../src/stack/ports.ts'
import { isPortTaken } from '../src/stack/port-owner.ts'

const main = join(import.meta.dirname, '..', 'dist', 'main.js')

/** What a finished command left. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** One installation of the product in a folder of its own, driven through its command line only. */
export interface Installation extends AsyncDisposable {
  readonly folder: string
  readonly data: string
  readonly portOffset: number
  port(name: keyof typeof basePorts): number
  file(name: string): string
  /** Runs `sallyport <words>` and waits for its end. */
  run(
    words: readonly string[],
    options?: {
      readonly input?: string
      readonly timeoutMs?: number
      readonly data?: string
      readonly environment?: Record<string, string>
    },
  ): Promise<Outcome>
  /** Starts the local stack in the background and waits until it is ready. Throws with what it said when it is not. */
  dev(words?: readonly string[]): Promise<void>
  /** As `run` with `--json`: the parsed document. Throws when the command fails. */
  json<T>(words: readonly string[]): Promise<T>
  /** Runs any program and waits for its end. */
  program(
    command: string,
    args: readonly string[],
    options?: { readonly timeoutMs?: number; readonly environment?: Record<string, string> },
  ): Promise<Outcome>
  /** Starts `sallyport <words>` and leaves it running; it is killed when the installation is disposed. */
  start(words: readonly string[], options?: { readonly data?: string }): ChildProcess
  /** As `start` with more environment; the caller reads what it says. */
  startProgram(words: readonly string[], environment: Record<string, string>): ChildProcess
  /** Waits until `sallyport status` says that `count` parts are ready. */
  ready(count: number, options?: { readonly data?: string; readonly timeoutMs?: number }): Promise<void>
}

/** `environment` is part of that of every command. */
export async function createInstallation({
  environment: shared = {},
}: { readonly environment?: Record<string, string> } = {}): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-e2e-'))
  const data = join(folder, 'data')
  const portOffset = await freeOffset()
  const children = new Set<ChildProcess>()

  const finish = (child: ChildProcess, input: string | undefined, timeoutMs: number): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      let stdout = ''
      let stderr = ''
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        reject(new Error(`no end after ${timeoutMs} ms; it said: ${stdout}${stderr}`))
      }, timeoutMs)
      child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
      child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
      child.once('error', reject)
      child.once('close', (code) => {
        clearTimeout(timer)
        resolve({ code: code ?? -1, stdout, stderr })
      })
      child.stdin?.end(input)
    })

  const spawnMain = (words: readonly string[], chosen: string, environment: Record<string, string> = {}): ChildProcess =>
    spawn(process.execPath, [main, '--data', chosen, ...words], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1', ...shared, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })

  const installation: Installation = {
    folder,
    data,
    portOffset,
    port: (name) => basePorts[name] + portOffset,
    file: (name) => join(folder, name),
    run: (words, options = {}) =>
      finish(spawnMain(words, options.data ?? data, options.environment), options.input, options.timeoutMs ?? 60_000),
    async dev(words = []) {
      const started = await installation.run(['dev', ...words, '--detach', '--wait', '40s', '--port-offset', String(portOffset)])
      if (started.code !== 0) throw new Error(`${started.stdout}${started.stderr}`)
    },
    async json<T>(words: readonly string[]): Promise<T> {
      const outcome = await installation.run(['--json', ...words])
      if (outcome.code !== 0) throw new Error(`sallyport ${words.join(' ')} ended with ${outcome.code}: ${outcome.stdout}${outcome.stderr}`)
      return JSON.parse(outcome.stdout) as T
    },
    program: (command, args, options = {}) =>
      finish(
        spawn(command, args, { cwd: folder, env: { ...process.env, ...shared, ...options.environment }, stdio: ['pipe', 'pipe', 'pipe'] }),
        undefined,
        options.timeoutMs ?? 60_000,
      ),
    start(words, options = {}) {
      const child = spawnMain(words, options.data ?? data)
      child.stdout?.resume()
      child.stderr?.resume()
      children.add(child)
      child.once('exit', () => children.delete(child))
      return child
    },
    startProgram(words, environment) {
      const child = spawnMain(words, data, environment)
      children.add(child)
      child.once('exit', () => children.delete(child))
      return child
    },
    async ready(count, options = {}) {
      const deadline = Date.now() + (options.timeoutMs ?? 40_000)
      for (;;) {
        const outcome = await installation.run(['--json', 'status'], { data: options.data ?? data })
        const status = JSON.parse(outcome.stdout) as { ready: boolean; parts: readonly unknown[] }
        if (outcome.code === 0 && status.parts.length >= count) return
        if (Date.now() > deadline) throw new Error(`not ready: ${outcome.stdout}`)
      }
    },
    async [Symbol.asyncDispose]() {
      const stopped = await installation.run(['stop'])
      const left = existsSync(join(data, 'run')) ? readdirSync(join(data, 'run')) : []
      // Nothing that a test started outlives it, also when it cannot be stopped in order; the test hears about that.
      for (const name of left) process.kill((JSON.parse(readFileSync(join(data, 'run', name), 'utf8')) as { pid: number }).pid, 'SIGKILL')
      for (const child of children) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
      if (left.length > 0) throw new Error(`did not stop: ${left.join(', ')} (${stopped.stdout}${stopped.stderr})`)
    },
  }
  return installation
}

async function freeOffset(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const offset = 1_000 + Math.floor(Math.random() * 40_000)
    const taken = await Promise.all(Object.values(basePorts).map((port) => isPortTaken('127.0.0.1', port + offset)))
    if (!taken.includes(true)) return offset
  }
  throw new Error('found no block of free ports')
}
