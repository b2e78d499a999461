import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '@sallyport/real-backends'

/** Said to the copy of the command that runs inside. */
export const insideFlag = '--inside'

/** Where everything of a run is. A file system of the isolation: it is gone with the last process, whatever ended that. */
export const runFolder = '/run/sallyport-faults'

/** Why this machine cannot do it, for people; `undefined` when it can. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux'
  if (process.getuid?.() !== 0) return 'only root makes network namespaces'
  const missing = ['ip', 'unshare', 'mount', 'umount'].filter((program) => findProgram(program) === undefined)
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`
  const allowed = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true']).status === 0
  return allowed ? undefined : 'this system allows no new namespaces'
}

/**
 * Runs this command again, with network, mounts and process numbers of its own. Nothing that it makes is seen outside, and when its first process ends, by itself or
 * killed, the kernel ends all others and removes networks and file systems: there is nothing to clean up, not even after a crash.
 *
 * @returns its exit code.
 */
export function runIsolated(): number {
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1), insideFlag]
  return (
    spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', ...command], { stdio: 'inherit' })
      .status ?? 1
  )
}

/** Prepares the isolation from inside: a file system for what is written, the names of the machines, and this network as the router between them. */
export function prepareIsolation(hosts: ReadonlyMap<string, string>): void {
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/run'])
  mkdirSync(runFolder, { mode: 0o700 })
  const file = join(runFolder, 'hosts')
  writeFileSync(file, ['127.0.0.1 localhost', ...[...hosts].map(([name, address]) => `${address} ${name}`), ''].join('\n'))
  execFileSync('mount', ['--bind', file, '/etc/hosts'])
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
}
