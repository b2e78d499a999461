import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock, Logger } from '@sallyport/core'
import { keptTraceFiles, maxPendingTraceCharacters } from '../limits.ts'

/** A trace on disk. Only its owner may read it. */
export interface TraceFile {
  /** Returns at once. What does not reach the disk in time is left out, and that is said in its place. */
  write(text: string): void
  /** Settles when everything written so far is in the file, or has failed to get there; never rejects. */
  flushed(): Promise<void>
  close(): Promise<void>
}

/** When a file is full, and when old ones go. Asked for at every write. */
export interface TraceFileRules {
  readonly thresholdBytes: number
  /** Days after which rolled files are removed; 0: never. */
  readonly cleanupDays: number
}

const dayMs = 86_400_000

/**
 * Appends to `path`. A file that is full becomes `<path>.1`, the one before `<path>.2` and so on; of 20 such files the oldest goes. What is written together stays
 * together, so that a file may be longer than the threshold by one write.
 */
export function createTraceFile(options: {
  readonly path: string
  readonly rules: () => TraceFileRules
  readonly clock: Clock
  readonly log: Logger
}): TraceFile {
  const { clock, log, path, rules } = options
  let pending: string[] = []
  let pendingCharacters = 0
  let leftOut = 0
  let file: FileHandle | undefined
  let bytes = 0
  let running: Promise<void> | undefined
  let failing = false
  let cleanedMs = Number.NEGATIVE_INFINITY

  const cleanUp = async (): Promise<void> => {
    const { cleanupDays } = rules()
    const nowMs = clock.now()
    if (cleanupDays === 0 || nowMs - cleanedMs < dayMs) return
    cleanedMs = nowMs
    for (const name of await rolledFiles(path)) {
      if ((await stat(name)).mtimeMs < nowMs - cleanupDays * dayMs) await rm(name, { force: true })
    }
  }
  const ready = async (more: number): Promise<FileHandle> => {
    if (file !== undefined && bytes > 0 && bytes + more > rules().thresholdBytes) {
      const full = file
      file = undefined
      await full.close()
      await roll(path)
    }
    if (file === undefined) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      file = await open(path, 'a', 0o600)
      bytes = (await file.stat()).size
      if (bytes > 0 && bytes + more > rules().thresholdBytes) return ready(more)
    }
    await cleanUp()
    return file
  }
  const work = async (): Promise<void> => {
    while (pending.length > 0) {
      const due = pending
      pending = []
      pendingCharacters = 0
      const missing = leftOut
      leftOut = 0
      if (missing > 0) due.push(`(${missing} characters are left out here: the disk was too slow)\n`)
      try {
        for (const text of due) {
          const size = Buffer.byteLength(text)
          await (await ready(size)).appendFile(text)
          bytes += size
        }
        failing = false
      } catch (error) {
        if (!failing) log.error({ file: path, error: (error as NodeJS.ErrnoException).code ?? 'unknown' }, 'a trace cannot be written')
        failing = true
      }
    }
    running = undefined
  }
  const flushed = (): Promise<void> => running ?? Promise.resolve()
  return {
    write(text) {
      if (pendingCharacters + text.length > maxPendingTraceCharacters) {
        leftOut += text.length
        return
      }
      // Lines of one turn are gathered, so that each costs no call of the system.
      const last = pending.length - 1
      if (last >= 0 && (pending[last] as string).length < 65_536) pending[last] += text
      else pending.push(text)
      pendingCharacters += text.length
      running ??= Promise.resolve().then(work)
    },
    flushed,
    async close() {
      await flushed()
      await file?.close()
      file = undefined
    },
  }
}

/** Moves every file of a trace on by one number. */
async function roll(path: string): Promise<void> {
  await rm(`${path}.${keptTraceFiles}`, { force: true })
  for (let number = keptTraceFiles - 1; number >= 0; number--) {
    const from = number === 0 ? path : `${path}.${number}`
    await rename(from, `${path}.${number + 1}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}

async function rolledFiles(path: string): Promise<readonly string[]> {
  const beginning = `${basename(path)}.`
  const names = await readdir(dirname(path))
  return names
    .filter((name) => name.startsWith(beginning) && /^\d+$/.test(name.slice(beginning.length)))
    .map((name) => join(dirname(path), name))
}
