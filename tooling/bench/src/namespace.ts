import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** Said to the copy of the command that runs inside. */
export const insideFlag = '--inside-namespace'

/**
 * Runs this command again in a network namespace of its own, where other traffic is absent and the kernel's settings are ours to choose.
 *
 * @returns the exit code of the copy, or `undefined` where that is not allowed and the caller has to go on here.
 */
export function runInNamespace(): number | undefined {
  if (process.getuid?.() !== 0 || spawnSync('unshare', ['--net', 'true']).status !== 0) return undefined
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1), insideFlag]
  return spawnSync('unshare', ['--net', ...command], { stdio: 'inherit' }).status ?? 1
}

/** Prepares the namespace from inside. */
export function prepareNamespace(): void {
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  if (!congestionControls.some(setCongestionControl)) {
    process.stderr.write('the congestion control of the namespace could not be set; bulk figures may be low\n')
  }
}

/** Not BBR, which paces even the loopback and cuts what it can do to a quarter. Where nothing is lost these two are alike; some systems allow only the second. */
const congestionControls = ['cubic', 'reno']

function setCongestionControl(name: string): boolean {
  try {
    writeFileSync('/proc/sys/net/ipv4/tcp_congestion_control', name)
    return true
  } catch {
    // Not allowed in a namespace on this system.
    return false
  }
}

/** Packets as on a real network while a link is simulated, or the kernel's first flight would be as large as a whole window. */
export function setLoopbackMtu(bytes: 1500 | 65_536): void {
  execFileSync('ip', ['link', 'set', 'lo', 'mtu', String(bytes)])
}
