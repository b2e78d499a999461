import type { KeyObject } from 'node:crypto'
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { maxAuditBlockCharacters } from '../limits.ts'
import {
  type AuditAnchor,
  anchorFile,
  formatAnchor,
  listSegments,
  lostBeginning,
  readAnchor,
  segmentDay,
  type SegmentName,
  segmentName,
  subaccountFolder,
} from './audit-folder.ts'
import type { AuditIndex } from './audit-index.ts'
import { chainStart, formatAuditBlock } from './audit-line.ts'
import { readSegmentEnd } from './segment-end.ts'
import { writeFully } from './write-fully.ts'

/** The open segment of one subaccount. One append at a time; an append that fails may be tried again and lands in the same place. */
export interface AuditSegment {
  readonly day: string
  /** Whether nothing waits to be written again after a failure. */
  readonly isWritten: boolean
  /**
   * Chains entries by their bodies, writes them with one call and says how many of them are written. After a failure call again with the same entries, more at
   * the end or not: those that were chained then are written first, in the same place.
   */
  append(bodies: readonly string[]): Promise<number>
  /** Brings everything appended to stable storage, then moves the anchor. */
  sync(): Promise<void>
  close(): Promise<void>
}

interface Tail {
  /** What the next entry links to. */
  readonly hmac: string
  readonly entries: number
  readonly bytes: number
  /** Whether the next entry may go into the same file. */
  readonly usable: boolean
}

/**
 * Opens the segment of a day, going on with one that is there. When what is there does not reach as far as the anchor says, it is left as it is and
 * the log goes on in a new part that links to the entry that is gone: so the verification shows the break for ever, not only until the next start.
 *
 * Segments before `keptFrom` have been removed on purpose.
 */
export async function openAuditSegment(options: {
  readonly folder: string
  readonly subaccount: string
  readonly day: string
  readonly key: KeyObject
  readonly index: AuditIndex
  readonly keptFrom?: string
}): Promise<AuditSegment> {
  const { index, key, subaccount } = options
  const folder = subaccountFolder(subaccount)
  const path = join(options.folder, folder)
  await mkdir(path, { recursive: true, mode: 0o700 })
  const segments = await listSegments(path)
  const newest = segments.at(-1)
  const known = await readAnchor(path, key, subaccount)
  const tail = await readTail(path, segments, known, options)
  const begin = typeof known === 'object' ? known.begin : await beginningWithoutAnchor(path, segments, known, index.has(subaccount))
  const goesOn = newest !== undefined && newest.day >= options.day && tail.usable
  const name = goesOn ? newest : nextName(folder, options.day, newest)

  let { hmac } = tail
  let entries = goesOn ? tail.entries : 0
  let bytes = goesOn ? tail.bytes : 0
  let anchored = entries
  let unwritten: { readonly bytes: Buffer; readonly hmac: string; readonly count: number } | undefined
  const anchor = await open(anchorFile(path), 'a', 0o600).then(async (handle) => {
    await handle.close()
    return open(anchorFile(path), 'r+')
  })
  const moveAnchor = (): Promise<void> =>
    writeFully(anchor, Buffer.from(formatAnchor(key, subaccount, { segment: name.file, entries, bytes, hmac, begin }), 'utf8'), 0)
  let opened: FileHandle | undefined
  try {
    opened = await open(join(path, name.file), goesOn ? 'r+' : 'wx', 0o600)
    await opened.truncate(bytes)
    // From the start: a segment that the anchor does not know could disappear unnoticed.
    await opened.datasync()
    await moveAnchor()
    await anchor.datasync()
    // Not before: whoever is in the index and has no anchor has lost it.
    await index.add(subaccount)
  } catch (error) {
    await anchor.close()
    await opened?.close()
    throw error
  }
  const file = opened

  /** Blocks of a bounded size, so that the end of a segment can be checked without reading all of it. */
  const chain = (added: readonly string[]): { readonly bytes: Buffer; readonly hmac: string; readonly count: number } => {
    let text = ''
    let last = hmac
    for (let from = 0; from < added.length;) {
      let to = from
      for (let characters = 0; to < added.length && characters < maxAuditBlockCharacters; to++) characters += added[to]?.length ?? 0
      const block = formatAuditBlock(key, subaccount, last, added.slice(from, to))
      text += block.text
      last = block.seal
      from = to
    }
    return { bytes: Buffer.from(text, 'utf8'), hmac: last, count: added.length }
  }
  const segment: AuditSegment = {
    day: name.day,
    get isWritten() {
      return unwritten === undefined
    },
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
      await moveAnchor()
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

/** A log that has only just been begun, or one that somebody has taken the beginning from. */
async function beginningWithoutAnchor(
  path: string,
  segments: readonly SegmentName[],
  anchor: 'missing' | 'altered',
  isIndexed: boolean,
): Promise<string> {
  if (anchor === 'altered' || isIndexed) return lostBeginning
  for (const { file } of segments) if ((await stat(join(path, file))).size > 0) return lostBeginning
  return chainStart
}

function nextName(folder: string, day: string, newest: SegmentName | undefined): SegmentName {
  if (newest === undefined || newest.day < day) return segmentName(folder, day, 1)
  return segmentName(folder, newest.day, newest.part + 1)
}

/** Where the log ends, and whether that is as far as it had come. */
async function readTail(
  path: string,
  segments: readonly SegmentName[],
  anchor: AuditAnchor | 'missing' | 'altered',
  options: { readonly key: KeyObject; readonly subaccount: string; readonly keptFrom?: string },
): Promise<Tail> {
  const known = typeof anchor === 'object' ? anchor : undefined
  const broken: Tail = { hmac: known?.hmac ?? chainStart, entries: 0, bytes: 0, usable: false }
  const newest = segments.at(-1)
  // A new log, or one that was cleaned up entirely: then it links to what is gone.
  if (newest === undefined) return broken
  const end = await readSegmentEnd(join(path, newest.file), options)
  if (end.bytes === 0) {
    if (known?.segment === newest.file) return known.bytes === 0 ? { hmac: known.hmac, entries: 0, bytes: 0, usable: true } : broken
    // Made just before a crash, and nothing was written yet.
    const before = await readTail(path, segments.slice(0, -1), anchor, options)
    return before.usable || (known === undefined && segments.length === 1)
      ? { hmac: before.hmac, entries: 0, bytes: 0, usable: true }
      : broken
  }
  if (known === undefined) return broken
  if (known.segment === newest.file) {
    if (known.bytes > end.bytes) return broken
    if (!end.genuine) return { hmac: end.hmac, entries: 0, bytes: 0, usable: false }
    return {
      hmac: end.hmac,
      entries: known.entries + (await countLines(join(path, newest.file), known.bytes, end.bytes)),
      bytes: end.bytes,
      usable: true,
    }
  }
  // The anchor was on its way to the disk when the power went: the segment that it names is older, and wholly there.
  const earlier = segments.find((segment) => segment.file === known.segment)
  if (earlier !== undefined) return (await stat(join(path, earlier.file))).size >= known.bytes ? { ...broken, hmac: end.hmac } : broken
  const removed = options.keptFrom !== undefined && segmentDay(known.segment) < options.keptFrom
  return removed ? { ...broken, hmac: end.hmac } : broken
}

/** Lines between two offsets: what was written after the anchor was moved last, at most a second's worth. */
async function countLines(path: string, from: number, to: number): Promise<number> {
  await using file = await open(path, 'r')
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
