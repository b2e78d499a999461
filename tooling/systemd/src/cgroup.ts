import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

/** A control group of the unified hierarchy, for the machine alone. */
export interface ControlGroup extends Disposable {
  readonly path: string
}

/** Makes one below that of this process. Disposed when everything in it has ended. @throws Error where there is no such hierarchy, or it cannot be changed. */
export function makeControlGroup(): ControlGroup {
  const path = join(parentGroup(), `sallyport-systemd-${process.pid}`)
  mkdirSync(path)
  return { path, [Symbol.dispose]: () => remove(path) }
}

/** Where controllers still are of the old kind, the unified hierarchy is mounted elsewhere, and is enough. */
function parentGroup(): string {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const mounted = mounts.find((line) => line.includes(' - cgroup2 '))?.split(' ')[4]
  if (mounted === undefined) throw new Error('control groups of version 2 are not mounted')
  const own = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('0::'))
  return join(mounted, own?.slice('0::'.length) ?? '')
}

/** Their files belong to the kernel: only folders are removed, from the innermost. */
function remove(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true })) if (entry.isDirectory()) remove(join(group, entry.name))
  rmdirSync(group)
}
