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

/** Records of processes that are still alive. A record whose process is gone is removed on the way. */
export function readControlRecords(folder: DataFolder): readonly ControlRecord[] {
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
