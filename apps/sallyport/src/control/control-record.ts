import { createConnection } from 'node:net'
import type { DataFolder } from '../stack/data-folder.ts'

/** How other commands of the same installation reach a running process; a file that only the owner reads. */
export interface ControlRecord {
  /** `dev`, or the role that the process serves. */
  readonly name: string
  readonly pid: number
  readonly url: string
  readonly secret: string
  readonly startedAtMs: number
}

const folderName = 'run'

export function writeControlRecord(folder: DataFolder, record: ControlRecord): void {
  folder.write([folderName, `${record.name}.json`], `${JSON.stringify(record)}\n`)
}

export function removeControlRecord(folder: DataFolder, name: string): void {
  folder.remove(folderName, `${name}.json`)
}

/**
 * Records of processes that run and answer. Others are removed on the way: their process was killed, and its number may long be somebody else's.
 */
export async function readControlRecords(folder: DataFolder): Promise<readonly ControlRecord[]> {
  const records = readRecords(folder)
  const listening = await Promise.all(records.map((record) => listens(record)))
  for (const [at, record] of records.entries()) if (listening[at] === false) removeControlRecord(folder, record.name)
  return records.filter((_, at) => listening[at] === true)
}

const connectTimeoutMs = 2_000

/** Whether somebody accepts connections where the record says. A process that is too busy to accept in time still counts. */
async function listens(record: ControlRecord): Promise<boolean> {
  const { hostname, port } = new URL(record.url)
  return await new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port), timeout: connectTimeoutMs })
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true))
    socket.once('timeout', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

function readRecords(folder: DataFolder): readonly ControlRecord[] {
  const names = folder.list(folderName).filter((name) => name.endsWith('.json'))
  return names.flatMap((name) => {
    const text = folder.read(folderName, name)
    const record = text === undefined ? undefined : tryParse(text)
    if (record !== undefined && isAlive(record.pid)) return [record]
    folder.remove(folderName, name)
    return []
  })
}

function tryParse(text: string): ControlRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<ControlRecord>
    const complete =
      typeof value.name === 'string' && typeof value.pid === 'number' && typeof value.url === 'string' && typeof value.secret === 'string'
    return complete ? (value as ControlRecord) : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
