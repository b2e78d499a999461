import { createHash, type KeyObject } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { StoredAuditEntry } from './audit-line.ts'
import { type AuditSelection, selectAuditEntries } from './select-audit-entries.ts'
import { writeFully } from './write-fully.ts'
import { formatTarHeader, tarBlockBytes, tarPadding } from './tar-member.ts'

/** What has been written. */
export interface AuditExport {
  readonly entries: number
  /** Of the archive. */
  readonly bytes: number
  /** What the archive says about itself. */
  readonly manifest: string
}

const csvName = 'audit-log.csv.gz'
const columns = ['timestamp', 'subaccount', 'type', 'category', 'user', 'correlationId', 'message'] as const

/**
 * Writes the entries of a selection into a new archive (tar): `audit-log.csv.gz` and `manifest.txt`, which says what was selected and when, and the digest of the
 * former. Memory does not depend on how many there are. After a failure there is no file.
 */
export async function exportAuditLog(
  log: { readonly folder: string; readonly key: KeyObject },
  selection: AuditSelection,
  to: { readonly file: string; readonly nowMs: number },
): Promise<AuditExport> {
  const archive = await open(to.file, 'wx', 0o600)
  try {
    const digest = createHash('sha256')
    let entries = 0
    let compressed = 0
    const rows = async function* (): AsyncGenerator<string> {
      yield `${columns.join(',')}\n`
      for await (const entry of selectAuditEntries(log, selection)) {
        entries++
        yield formatRow(entry)
      }
    }
    // Its header comes when its size is known.
    await pipeline(Readable.from(rows()), createGzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        digest.update(chunk)
        await writeFully(archive, chunk, tarBlockBytes + compressed)
        compressed += chunk.length
      }
    })
    const manifest = formatManifest(selection, { nowMs: to.nowMs, entries, sha256: digest.digest('hex') })
    const text = Buffer.from(manifest, 'utf8')
    await writeFully(archive, formatTarHeader(csvName, compressed, to.nowMs), 0)
    const rest = Buffer.concat([
      tarPadding(compressed),
      formatTarHeader('manifest.txt', text.length, to.nowMs),
      text,
      tarPadding(text.length),
      Buffer.alloc(2 * tarBlockBytes),
    ])
    await writeFully(archive, rest, tarBlockBytes + compressed)
    await archive.sync()
    await archive.close()
    return { entries, bytes: tarBlockBytes + compressed + rest.length, manifest }
  } catch (error) {
    await archive.close()
    await rm(to.file, { force: true })
    throw error
  }
}

/** RFC 4180. Control characters are written as `\xhh`: a row stays a line. */
function formatRow(entry: StoredAuditEntry): string {
  return `${columns.map((name) => formatField(entry[name])).join(',')}\n`
}

function formatField(text: string): string {
  const line = text.replace(/[\p{Cc}\\]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line
}

function formatManifest(
  selection: AuditSelection,
  made: { readonly nowMs: number; readonly entries: number; readonly sha256: string },
): string {
  const { fromMs, pattern, subaccounts, toMs, types } = selection
  const time = (ms: number | undefined): string => (ms === undefined ? 'any' : new Date(ms).toISOString())
  const list = (values: readonly string[] | undefined): string => (values === undefined ? 'any' : values.map(quoted).join(', '))
  return [
    `Extracted: ${time(made.nowMs)}`,
    `Entries: ${made.entries}`,
    `From: ${time(fromMs)}`,
    `To: ${time(toMs)}`,
    `Types: ${list(types)}`,
    `Pattern: ${pattern === undefined ? 'any' : quoted(pattern)}`,
    `Subaccounts: ${list(subaccounts)}`,
    `SHA-256 of ${csvName}: ${made.sha256}`,
    '',
  ].join('\n')
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
