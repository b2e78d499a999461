import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Site } from '../contender.ts'
import type { Running, Side } from '../processes.ts'
import type { RoleSettings } from '../roles/role.ts'

/**
 * Starts one end of a tunnel of ours as a process.
 *
 * The larger young generation is what the command line of the product sets as well: most of what a request allocates is dead when it is answered.
 */
export function startRole(site: Site, side: Side, script: string, settings: RoleSettings): Running {
  const file = join(site.folder, `${script}.json`)
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 })
  const flags = [...process.execArgv, '--max-semi-space-size=32', ...(site.measuresMemory ? ['--expose-gc'] : [])]
  return site.start(side, process.execPath, [...flags, join(import.meta.dirname, '..', 'roles', `${script}.ts`), file])
}
