import type { KeyObject } from 'node:crypto'
import { open } from 'node:fs/promises'
import { maxAuditBlockBytes } from '../limits.ts'
import { chainStart, checkBlock, parseAuditLine } from './audit-line.ts'

/** Where a segment ends. */
export interface SegmentEnd {
  /** Behind the last complete block: what follows it was never acknowledged. */
  readonly bytes: number
  /** Seal of the last complete block. */
  readonly hmac: string
  readonly genuine: boolean
}

/** Finds the end of a segment by its last block and a part of one that a crash may have left behind it. Reads no more than that. */
export async function readSegmentEnd(
  path: string,
  { key, subaccount }: { readonly key: KeyObject; readonly subaccount: string },
): Promise<SegmentEnd> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const from = Math.max(0, size - 2 * maxAuditBlockBytes)
  const buffer = Buffer.alloc(size - from)
  await file.read(buffer, 0, buffer.length, from)
  const written = buffer.lastIndexOf(10) + 1
  const lines = buffer.toString('utf8', 0, written).split('\n').slice(0, -1).map(parseAuditLine)

  // What is no entry ends the search as well: no crash leaves that.
  const sealed = lines.findLastIndex((line) => line?.seal !== '')
  const last = lines[sealed]
  const torn = lines[sealed + 1]
  const isOurs = torn === undefined || (sealed < 0 ? from === 0 && torn.previous !== '' : torn.previous === last?.seal)
  if (!isOurs) return { bytes: from + written, hmac: last?.seal ?? chainStart, genuine: false }
  let end = written
  for (let at = lines.length - 1; at > sealed; at--) end = end < 2 ? 0 : buffer.lastIndexOf(10, end - 2) + 1
  if (last === undefined) return { bytes: from + end, hmac: chainStart, genuine: false }

  const first = Math.max(
    0,
    lines.findLastIndex((line, at) => at <= sealed && line?.previous !== ''),
  )
  const check = checkBlock(key, subaccount, lines[first]?.previous ?? '')
  for (const line of lines.slice(first, sealed + 1)) check.add(line?.body ?? '')
  return { bytes: from + end, hmac: last.seal, genuine: check.isSealedBy(last.seal) }
}
