import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where programs of the distribution are. */
const machinePath = '/usr/local/bin:/usr/bin:/bin'

/** A program of the machine whose processes are known. */
export interface RecordedProgram extends Disposable {
  /** In the form of `PATH`: it is found there first. */
  readonly searchPath: string
  /** Process ids of all that have been started, the first one first. */
  readonly pids: readonly number[]
}

/** Lets a program of the machine write down its process id before it does what it does. */
export function recordProgram(name: string): RecordedProgram {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-programs-'))
  const list = join(folder, 'pids')
  writeFileSync(list, '')
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\necho $$ >> '${list}'\nPATH='${machinePath}'\nexec ${name} "$@"\n`)
  chmodSync(file, 0o700)
  return {
    searchPath: `${folder}:${machinePath}`,
    get pids() {
      return readFileSync(list, 'utf8').split('\n').filter(Boolean).map(Number)
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Whether there is a process of this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
