import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '@sallyport/real-backends'
import { makeControlGroup } from './cgroup.ts'

/** Why no systemd can be started here from this folder, for people; `undefined` when one can. */
export function obstacle(root: string): string | undefined {
  if (process.platform !== 'linux') return 'systemd is a thing of Linux'
  if (process.getuid?.() !== 0) return 'only root makes namespaces and mounts'
  const missing = ['unshare', 'nsenter', 'setpriv', 'mount', 'pivot_root'].filter((program) => findProgram(program) === undefined)
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`
  if (!['lib', 'usr/lib'].some((folder) => existsSync(join(root, folder, 'systemd/systemd')))) return `there is no systemd in ${root}`
  if (/[,:\\]/.test(root)) return `${root} cannot be a layer, because of a comma, colon or backslash`
  const names = ['--net', '--mount', '--pid', '--uts', '--ipc', '--cgroup', '--fork']
  if (spawnSync('unshare', [...names, 'true']).status !== 0) return 'this system allows no new namespaces'
  try {
    makeControlGroup()[Symbol.dispose]()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return undefined
}
