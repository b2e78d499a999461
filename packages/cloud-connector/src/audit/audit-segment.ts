import type { KeyObject } from 'node:crypto'
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { maxAuditLineBytes } from '../limits.ts'
import { anchorFile, formatAnchor, listSegments, readAnchor, type SegmentName, segmentName, subaccountFolder } from './audit-folder.ts'
import { type AuditLineFields, chainHmac, chainStart, formatAuditLine, parseAuditLine } from './audit-line.ts'

/** The open segment of one subaccount. One append at a time; an append that fails may be tried again and lands in the same place. */
export interface AuditSegment {
  readonly day: string
  /**
   * Chains entries, writes them with one call and says how many of them are written. After a failure call again with the same entries, more at
   * the end or not: those that were chained then are written first, in the same place.
   */
  append(entries: readonly AuditLineFields[]): Promise<number>
  /** Brings everything appended to stable storage, then moves the anchor. */
  sync(): Promise<void>
  close(): Promise<void>
}

interface Tail {
  readonly hmac: string
  readonly entries: number
  readonly bytes: number
  /** Whether the next entry may go into the same file. */
  readonly usable: boolean
}

/**
 * Opens the segment of a day, going on with one that is there. A file whose end does not verify is left as it is: the log goes on in a new
 * part that links to it, and the verification shows the break.
 */
export async function openAuditSegment(options: {
  readonly folder: string
  readonly subaccount: string
  readonly day: string
  readonly key: KeyObject
}): Promise<AuditSegment> {
  const { key, subaccount } = options
  const folder = subaccountFolder(subaccount)
  const path = join(options.folder, folder)
  await mkdir(path, { recursive: true, mode: 0o700 })
  const newest = (await listSegments(path)).at(-1)
  const tail: Tail =
    newest === undefined ? { hmac: chainStart, entries: 0, bytes: 0, usable: false } : await readTail(path, newest, key, subaccount)
  const goesOn = newest !== undefined && newest.day >= options.day && tail.usable
  const name = goesOn ? newest : nextName(folder, options.day, newest)

  let { hmac } = tail
  let entries = goesOn ? tail.entries : 0
  let bytes = goesOn ? tail.bytes : 0
  let anchored = 0
  let unwritten: { readonly bytes: Buffer; readonly hmac: string; readonly count: number } | undefined
  const file = await open(join(path, name.file), goesOn ? 'r+' : 'wx', 0o600)
  const anchor = await open(anchorFile(path), 'a', 0o600).then(async (handle) => {
    await handle.close()
    return open(anchorFile(path), 'r+')
  })
  if (goesOn) await file.truncate(bytes)

  const chain = (added: readonly AuditLineFields[]): { readonly bytes: Buffer; readonly hmac: string; readonly count: number } => {
    let text = ''
    let last = hmac
    for (const fields of added) {
      const formatted = formatAuditLine(key, subaccount, last, fields)
      text += formatted.line
      last = formatted.hmac
    }
    return { bytes: Buffer.from(text, 'utf8'), hmac: last, count: added.length }
  }
  const segment: AuditSegment = {
    day: name.day,
    async append(added) {
      unwritten ??= chain(added)
      await writeFully(file, unwritten.bytes, bytes)
      const { count } = unwritten
      bytes += unwritten.bytes.length
      entries += count
      hmac = unwritten.hmac
      unwritten = undefined
      return count
    },
    async sync() {
      if (entries === anchored) return
      await file.datasync()
      const reached = entries
      await writeFully(anchor, Buffer.from(formatAnchor(key, subaccount, { segment: name.file, entries, bytes, hmac }), 'utf8'), 0)
      anchored = reached
    },
    async close() {
      try {
        await segment.sync()
        await anchor.datasync()
      } finally {
        await file.close()
        await anchor.close()
      }
    },
  }
  return segment
}

/** Deletes segments whose day is before `firstDay`. */
export async function removeOldSegments(folder: string, subaccount: string, firstDay: string): Promise<number> {
  const path = join(folder, subaccountFolder(subaccount))
  const old = (await listSegments(path)).filter((segment) => segment.day < firstDay)
  for (const segment of old) await rm(join(path, segment.file), { force: true })
  return old.length
}

function nextName(folder: string, day: string, newest: SegmentName | undefined): SegmentName {
  if (newest === undefined || newest.day < day) return segmentName(folder, day, 1)
  return segmentName(folder, newest.day, newest.part + 1)
}

async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}

/** Where an existing segment ends. What stands behind its last complete line was never acknowledged and is cut off. */
async function readTail(path: string, name: SegmentName, key: KeyObject, subaccount: string): Promise<Tail> {
  const anchor = await readAnchor(path, key, subaccount)
  const file = await open(join(path, name.file), 'r')
  try {
    const { size } = await file.stat()
    const from = Math.max(0, size - maxAuditLineBytes)
    const buffer = Buffer.alloc(size - from)
    await file.read(buffer, 0, buffer.length, from)
    const end = buffer.lastIndexOf(10) + 1
    const bytes = from + end
    const line = parseAuditLine(buffer.toString('utf8', buffer.lastIndexOf(10, Math.max(0, end - 2)) + 1, Math.max(0, end - 1)))
    if (line === undefined) return { hmac: chainStart, entries: 0, bytes, usable: false }
    const genuine = chainHmac(key, subaccount, line.previous, line.body) === line.hmac
    const reached = typeof anchor === 'object' && anchor.segment === name.file && anchor.bytes <= bytes
    const { hmac } = line
    if (!genuine || !reached) return { hmac, entries: 0, bytes, usable: false }
    return { hmac, entries: anchor.entries + (await countLines(file, anchor.bytes, bytes)), bytes, usable: true }
  } finally {
    await file.close()
  }
}

/** Lines between two offsets: what was written after the anchor was moved last, at most a second's worth. */
async function countLines(file: FileHandle, from: number, to: number): Promise<number> {
  const buffer = Buffer.alloc(65_536)
  let count = 0
  for (let at = from; at < to;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - at), at)
    if (bytesRead === 0) break
    for (let index = buffer.indexOf(10); index >= 0 && index < bytesRead; index = buffer.indexOf(10, index + 1)) count++
    at += bytesRead
  }
  return count
}
