import { spawn } from 'node:child_process'

/** What a program has written. */
export interface Output {
  readonly stdout: string
  readonly stderr: string
}

/** A program that failed, or took too long. */
export class ProgramError extends Error {
  readonly output: Output

  constructor(message: string, output: Output) {
    super(message)
    this.name = 'ProgramError'
    this.output = output
  }
}

/** Output beyond this is left out. */
const keptCharacters = 1 << 20

/**
 * Runs a program to its end, or ends it with everything it has started after `timeoutMs`: package managers leave processes of their own behind when only they
 * are killed.
 *
 * @throws ProgramError when it fails or takes too long.
 */
export function runBounded(
  program: string,
  args: readonly string[],
  { cwd = process.cwd(), timeoutMs = 300_000 }: { readonly cwd?: string; readonly timeoutMs?: number } = {},
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < keptCharacters) output[name] += text
      })
    }
    const fail = (reason: string): void => reject(new ProgramError(`${program} ${args.join(' ')}: ${reason}`, output))
    let late = false
    const timer = setTimeout(() => {
      late = true
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has just ended by itself.
      }
    }, timeoutMs)
    child.once('error', (error) => {
      clearTimeout(timer)
      fail(error.message)
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (late) fail(`did not end within ${timeoutMs / 1000} s`)
      else if (code === 0) resolve(output)
      else fail(`ended with ${signal ?? code}`)
    })
  })
}
