import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename } from 'node:path'

/** Whether somebody already listens on a TCP port of an address. */
export async function isPortTaken(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(true)
      else reject(error)
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(false)))
  })
}

/**
 * Names the process that listens on a TCP port, e.g. `node (pid 4711)`. `undefined` where the system does not tell: other users' processes,
 * and systems without /proc.
 */
export function findPortOwner(port: number): string | undefined {
  try {
    const inodes = listeningInodes(port)
    if (inodes.size === 0) return undefined
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (holdsSocket(pid, inodes)) return `${programOf(pid)} (pid ${pid})`
    }
  } catch {
    // No /proc, or a process ended while we looked: the port's owner stays unknown, which is an answer.
  }
  return undefined
}

/** What was typed, not the name that a thread gave itself. */
function programOf(pid: string): string {
  return basename(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '')
}

const listenState = '0A'

function listeningInodes(port: number): ReadonlySet<string> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const inodes = new Set<string>()
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(file, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      if (fields[1]?.endsWith(`:${hex}`) === true && fields[3] === listenState && fields[9] !== undefined)
        inodes.add(`socket:[${fields[9]}]`)
    }
  }
  return inodes
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  let handles: readonly string[]
  try {
    handles = readdirSync(`/proc/${pid}/fd`)
  } catch {
    return false
  }
  return handles.some((handle) => {
    try {
      return inodes.has(readlinkSync(`/proc/${pid}/fd/${handle}`))
    } catch {
      return false
    }
  })
}
