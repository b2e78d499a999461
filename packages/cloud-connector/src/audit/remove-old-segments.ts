import type { KeyObject } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { maxAuditLineBytes } from '../limits.ts'
import { listSegments, readAnchor, type SegmentName, subaccountFolder, writeAnchor } from './audit-folder.ts'
import { parseAuditLine } from './audit-line.ts'

/**
 * Deletes segments whose day is before `firstDay`, and returns how many. The anchor says first where the log begins from then on: only so a verification can tell
 * a clean-up from somebody who deletes files, and a process that dies in between leaves no more than segments that could have gone.
 */
export async function removeOldSegments(options: {
  readonly folder: string
  readonly subaccount: string
  readonly key: KeyObject
  readonly firstDay: string
}): Promise<number> {
  const { key, subaccount, firstDay } = options
  const path = join(options.folder, subaccountFolder(subaccount))
  const segments = await listSegments(path)
  const old = segments.filter(({ day }) => day < firstDay)
  if (old.length === 0) return 0
  const anchor = await readAnchor(path, key, subaccount)
  if (typeof anchor === 'object') {
    const begin = (await firstLink(path, segments.slice(old.length))) ?? anchor.hmac
    await writeAnchor(path, key, subaccount, { ...anchor, begin })
  }
  for (const { file } of old) await rm(join(path, file), { force: true })
  return old.length
}

/** What the first entry of these segments links to; `undefined` when they have none, or one that is no entry. */
async function firstLink(path: string, segments: readonly SegmentName[]): Promise<string | undefined> {
  const buffer = Buffer.alloc(maxAuditLineBytes)
  for (const { file } of segments) {
    await using segment = await open(join(path, file), 'r')
    const { bytesRead } = await segment.read(buffer, 0, buffer.length, 0)
    const end = buffer.subarray(0, bytesRead).indexOf(10)
    if (end >= 0) return parseAuditLine(buffer.toString('utf8', 0, end))?.previous
  }
  return undefined
}
