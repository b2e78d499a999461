import { execFileSync } from 'node:child_process'

/** The machines of a run. What is asked of them comes from the router that this process is; `--only` and the tables call the connectors by their role. */
export const machineNames = ['cloud', 'first', 'second', 'backend'] as const
export type MachineName = (typeof machineNames)[number]

/** Addresses and names as every machine knows them. */
export const hosts: ReadonlyMap<string, string> = new Map(machineNames.map((name) => [hostOf(name), addressOf(name)]))

/** Host name of a machine. */
export function hostOf(name: MachineName): string {
  return `${name}.faults.test`
}

/** Address of a machine. Each has a network of its own with the router, so that all packets between two of them pass it. */
export function addressOf(name: MachineName): string {
  return `${prefixOf(name)}.2`
}

function prefixOf(name: MachineName): string {
  return `10.77.${machineNames.indexOf(name) + 1}`
}

/** Makes the network namespaces, each with one cable to the router. */
export function layNetwork(): void {
  for (const name of machineNames) {
    ip('netns', 'add', name)
    ip('link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    ip('address', 'add', `${prefixOf(name)}.1/24`, 'dev', `to-${name}`)
    ip('link', 'set', `to-${name}`, 'up')
    ip('-netns', name, 'link', 'set', 'lo', 'up')
    ip('-netns', name, 'address', 'add', `${addressOf(name)}/24`, 'dev', 'eth0')
    ip('-netns', name, 'link', 'set', 'eth0', 'up')
    ip('-netns', name, 'route', 'add', 'default', 'via', `${prefixOf(name)}.1`)
  }
}

/** One direction between two machines. */
export interface Direction {
  readonly from: MachineName
  readonly to: MachineName
}

/** Makes the router swallow the packets of these directions, silently, as a broken link does. The returned function mends them. */
export function cut(directions: readonly Direction[]): () => void {
  const rules = directions.map(({ from, to }) => ['from', addressOf(from), 'to', addressOf(to), 'blackhole'])
  for (const rule of rules) ip('rule', 'add', ...rule)
  return () => {
    for (const rule of rules) ip('rule', 'del', ...rule)
  }
}

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] })
}
