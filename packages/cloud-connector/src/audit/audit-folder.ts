import { createHash, createHmac, type KeyObject } from 'node:crypto'
import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { maxFolderNameLength } from '../limits.ts'

/** A file that holds one day of one subaccount; `part` counts up when an earlier file of the day is not to be trusted. */
export interface SegmentName {
  readonly day: string
  readonly part: number
  readonly file: string
}

/** How far a subaccount's log certainly reaches: written after that much is on stable storage. */
export interface AuditAnchor {
  /** File name of the segment. */
  readonly segment: string
  readonly entries: number
  readonly bytes: number
  /** HMAC of the last entry that counts. */
  readonly hmac: string
  /** What the first entry that is kept links to: `start`, the HMAC of the last one that a clean-up has removed, or {@link lostBeginning}. */
  readonly begin: string
}

/** Beginning of a log whose earlier entries have disappeared with everything that told where it began. No entry links to it. */
export const lostBeginning = 'lost'

/**
 * Folder of a subaccount below the audit folder; `_crossaccount` for what belongs to none. Of a name that is too long for a folder, a hash takes the place of the
 * end, behind a character that no shorter name has there.
 */
export function subaccountFolder(subaccount: string): string {
  if (subaccount === '') return '_crossaccount'
  const name = encodeURIComponent(subaccount).replaceAll('.', '%2E').replace(/^_/, '%5F')
  if (name.length <= maxFolderNameLength) return name
  const hash = createHash('sha256').update(subaccount).digest('base64url')
  return `${name.slice(0, maxFolderNameLength - hash.length - 1)}+${hash}`
}

/** `audit-log_<subaccount>_<yyyy-MM-dd>.csv`, later parts with `.2`, `.3` before the extension. */
export function segmentName(folder: string, day: string, part: number): SegmentName {
  return { day, part, file: `audit-log_${folder}_${day}${part === 1 ? '' : `.${part}`}.csv` }
}

/** Day of a segment by the name of its file; `''` for another file. */
export function segmentDay(file: string): string {
  return /_(\d{4}-\d{2}-\d{2})(?:\.\d+)?\.csv$/.exec(file)?.[1] ?? ''
}

/** The segments of a subaccount, oldest first; none when it has no folder yet. */
export async function listSegments(path: string): Promise<readonly SegmentName[]> {
  const files = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return files
    .flatMap((file) => {
      const match = /_(\d{4}-\d{2}-\d{2})(?:\.(\d+))?\.csv$/.exec(file)
      return match === null ? [] : [{ day: match[1] ?? '', part: Number(match[2] ?? 1), file }]
    })
    .toSorted((a, b) => (a.day === b.day ? a.part - b.part : a.day < b.day ? -1 : 1))
}

/** Where a subaccount's anchor stands. */
export function anchorFile(path: string): string {
  return join(path, 'audit-log.anchor')
}

/** Fixed width, so that it can be written over in place. */
export function formatAnchor(key: KeyObject, subaccount: string, anchor: AuditAnchor): string {
  const body = `${anchor.segment};${anchor.entries};${anchor.bytes};${anchor.hmac};${anchor.begin}`
  return `${`${body};${anchorHmac(key, subaccount, body)}`.padEnd(511)}\n`
}

/** `missing` when there is none, or an empty one because the process died when it had just made it; `altered` when it was not written with this key. */
export async function readAnchor(path: string, key: KeyObject, subaccount: string): Promise<AuditAnchor | 'missing' | 'altered'> {
  let text: string
  try {
    text = await readFile(anchorFile(path), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing'
    throw error
  }
  if (text === '') return 'missing'
  const match = /^(([^;]+);(\d+);(\d+);([\w-]+);([\w-]+));([\w-]{43}) *\n$/.exec(text)
  if (match === null || anchorHmac(key, subaccount, match[1] ?? '') !== match[7]) return 'altered'
  return { segment: match[2] ?? '', entries: Number(match[3]), bytes: Number(match[4]), hmac: match[5] ?? '', begin: match[6] ?? '' }
}

/** Writes over the anchor of a log whose segments are closed; on stable storage when it settles. */
export async function writeAnchor(path: string, key: KeyObject, subaccount: string, anchor: AuditAnchor): Promise<void> {
  await using file = await open(anchorFile(path), 'r+')
  await file.write(formatAnchor(key, subaccount, anchor), 0)
  await file.datasync()
}

function anchorHmac(key: KeyObject, subaccount: string, body: string): string {
  return createHmac('sha256', key).update(`anchor\n${subaccount}\n${body}`).digest('base64url')
}
