import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { findProgram } from './programs.ts'

/** A server that runs in the foreground as a child of this process. */
export interface ForegroundProgram extends AsyncDisposable {
  readonly pid: number
  readonly running: boolean
  /** Everything written to standard error so far. */
  readonly stderr: () => string
  /** Ends the program and waits until it has, with the signal it was started with unless another is named. Idempotent. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** The system's user that a program runs as. */
export interface ProcessOwner {
  readonly uid: number
  readonly gid: number
}

/**
 * Starts a program and waits until it writes `ready` to standard error.
 *
 * @throws Error with the end of its standard error when it exits first, or is not ready within `timeoutMs`; nothing is left running then.
 */
export async function startForeground(options: {
  readonly program: string
  readonly args: readonly string[]
  readonly ready: RegExp
  readonly timeoutMs: number
  /** Where it writes what {@link ready} is looked for in; standard error unless told. What it writes to standard output counts as {@link ForegroundProgram.stderr} then. */
  readonly from?: 'stderr' | 'both'
  /** What ends it for good; SIGKILL when nothing is said. */
  readonly stopSignal?: NodeJS.Signals
  /** On top of the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>
  /** Only root can start programs as somebody else. */
  readonly owner?: ProcessOwner
}): Promise<ForegroundProgram> {
  const { stopSignal = 'SIGKILL', from = 'stderr' } = options
  const path = findProgram(options.program)
  if (path === undefined) throw new Error(`${options.program} is not installed`)
  const child = spawn(path, options.args, {
    stdio: ['ignore', from === 'both' ? 'pipe' : 'ignore', 'pipe'],
    env: { ...process.env, ...options.environment },
    ...options.owner,
  })
  const stopAtExit = (): void => void child.kill(stopSignal)
  process.once('exit', stopAtExit)
  let stderr = ''
  const program: ForegroundProgram = {
    pid: child.pid ?? 0,
    get running() {
      return child.pid !== undefined && child.exitCode === null && child.signalCode === null
    },
    stderr: () => stderr,
    stop: (signal = stopSignal) => stop(child, signal).finally(() => process.removeListener('exit', stopAtExit)),
    [Symbol.asyncDispose]: () => program.stop(),
  }
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${options.program} is not ready after ${options.timeoutMs} ms: ${tail()}`)),
        options.timeoutMs,
      )
      const tail = (): string => stderr.slice(-2000)
      const listen = (text: string): void => {
        stderr += text
        if (options.ready.test(stderr)) {
          clearTimeout(timer)
          resolve()
        }
      }
      child.stderr?.setEncoding('utf8').on('data', listen)
      child.stdout?.setEncoding('utf8').on('data', listen)
      child.once('error', reject)
      child.once('close', (code) => {
        clearTimeout(timer)
        reject(new Error(`${options.program} ended with ${code}: ${tail()}`))
      })
    })
  } catch (error) {
    await program.stop()
    throw error
  }
  return program
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}
