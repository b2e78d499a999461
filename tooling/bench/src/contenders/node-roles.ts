import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Site } from '../contender.ts'
import type { Running, Side } from '../processes.ts'
import type { RoleSettings } from '../roles/role.ts'

/**
 * Every read of a socket is a buffer outside V8's heap. By default V8 collects the whole heap for each 64 MB of such buffers, 15 times a second in a transfer, and
 * that takes as long as moving the bytes. With these it counts them as part of a heap that may grow to a proper size first; then the young generation's collections
 * free nearly all of them. Whoever starts the product for heavy traffic sets the same.
 */
const nodeFlags = ['--external-memory-accounted-in-global-limit', '--initial-old-space-size=128']

/** Starts one end of a tunnel of ours as a process. */
export function startRole(site: Site, side: Side, script: string, settings: RoleSettings): Running {
  const file = join(site.folder, `${script}.json`)
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 })
  const flags = [...process.execArgv, ...nodeFlags, ...(site.measuresMemory ? ['--expose-gc'] : [])]
  return site.start(side, process.execPath, [...flags, join(import.meta.dirname, '..', 'roles', `${script}.ts`), file])
}
