import { execFile } from 'node:child_process'
import { accessSync, constants, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Distributions keep servers where the path of an ordinary user does not lead. */
const systemFolders: readonly string[] = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  // Debian keeps the versions of PostgreSQL beside each other; the newest is taken.
  ...globSync('/usr/lib/postgresql/*/bin').toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true })),
]

/** Where a program is installed: on the path or among the system's servers. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders]
  return folders.map((folder) => join(folder, name)).find((file) => isExecutable(file))
}

/**
 * Whether a suite against real programs has to be skipped because one is missing; says so on standard error.
 *
 * @throws Error instead when `REQUIRE_REAL=1`, so that CI cannot pass by skipping.
 *
 * @example
 * describe.skipIf(skipUnless('nginx'))('a head read by nginx', () => { … })
 */
export function skipUnless(...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => findProgram(program) === undefined)
  if (missing.length === 0) return false
  return skip(`not installed: ${missing.join(', ')}`)
}

/** Whether a suite has to be skipped because only root can start its programs, as Postfix. Says so, or throws, as {@link skipUnless}. */
export function skipUnlessRoot(): boolean {
  return process.getuid?.() !== 0 && skip('this is not root')
}

/** Says loudly why something is skipped. @throws Error instead when `REQUIRE_REAL=1`. */
export function skip(reason: string): boolean {
  if (process.env['REQUIRE_REAL'] === '1') throw new Error(`${reason}, and REQUIRE_REAL=1 forbids to skip`)
  process.stderr.write(`\n*** SKIPPED against the real world: ${reason} ***\n`)
  return true
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    // Not there or not ours to run: either way not a program we can use.
    return false
  }
}

/** Uid and main group of a user of the system. @throws Error where there is none of that name. */
export async function idOf(user: string): Promise<{ readonly uid: number; readonly gid: number }> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (option) => Number((await run('id', [option, user])).stdout)))
  return { uid: uid ?? 0, gid: gid ?? 0 }
}
