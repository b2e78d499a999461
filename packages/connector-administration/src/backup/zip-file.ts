import { strToU8, unzipSync, zipSync } from 'fflate'
import { maxUnpackedBytes, maxZipEntries } from '../limits.ts'
import { invalidRequest } from '../rest/rest-error.ts'

/** Files by name. */
export type ZipFiles = Readonly<Record<string, Uint8Array | string>>

/** Makes a ZIP archive; texts are UTF-8. */
export function writeZip(files: ZipFiles, nowMs: number): Buffer {
  const entries = Object.entries(files).map(([name, content]) => [name, typeof content === 'string' ? strToU8(content) : content] as const)
  return Buffer.from(zipSync(Object.fromEntries(entries), { mtime: nowMs }))
}

/** Reads a ZIP archive from outside. @throws RestError 400 for what is none, and for one that holds too much. */
export function readZip(archive: Uint8Array): ReadonlyMap<string, Buffer> {
  let entries = 0
  let bytes = 0
  let tooMuch = false
  try {
    const files = unzipSync(archive, {
      filter({ originalSize }) {
        entries += 1
        bytes += originalSize
        tooMuch ||= entries > maxZipEntries || bytes > maxUnpackedBytes
        return !tooMuch
      },
    })
    if (!tooMuch) return new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)]))
  } catch {
    // Said below, as for anything that cannot be read.
  }
  throw invalidRequest(
    tooMuch ? `the archive holds more than ${maxUnpackedBytes} bytes or ${maxZipEntries} files` : 'the file is no ZIP archive',
  )
}
