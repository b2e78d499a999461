import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Site } from '../contender.ts'
import type { Running, Side } from '../processes.ts'
import type { RoleSettings } from '../roles/role.ts'

/** What `sallyport serve` sets for itself. */
const nodeFlags = ['--external-memory-accounted-in-global-limit', '--initial-old-space-size=128']

/** Starts one end of a tunnel of ours as a process. */
export function startRole(site: Site, side: Side, script: string, settings: RoleSettings): Running {
  const file = join(site.folder, `${script}.json`)
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 })
  const flags = [...process.execArgv, ...nodeFlags, ...(site.measuresMemory ? ['--expose-gc'] : [])]
  return site.start(side, process.execPath, [...flags, join(import.meta.dirname, '..', 'roles', `${script}.ts`), file])
}
