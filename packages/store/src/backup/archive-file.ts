import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { ConnectivityError } from '@sallyport/core'
import { maxArchiveHeaderBytes, maxArchiveLineBytes } from '../limits.ts'
import { addAttempt } from '../store-errors.ts'
import { decryptPieces, encryptPieces } from './archive-cipher.ts'
import { type ArchiveHeader, formatArchiveHeader, parseArchiveHeader } from './archive-header.ts'
import { type ArchiveLock, closeLock, openLock } from './archive-lock.ts'
import { type ArchiveLine, formatArchiveLine, parseArchiveLine } from './archive-line.ts'

/**
 * Writes an archive: a readable header, then the lines, compressed and encrypted. The file appears under its name when it is whole and on the disk; only its
 * owner can read it.
 *
 * @returns its size in bytes
 * @throws ConnectivityError `STORE_FAILED` when it cannot be written; nothing is left then.
 */
export async function writeArchive(
  file: string,
  lines: AsyncIterable<ArchiveLine>,
  options: { readonly lock: ArchiveLock; readonly createdAtMs: number; readonly writtenBy: string },
): Promise<number> {
  const { lock, createdAtMs, writtenBy } = options
  const { key, info } = await closeLock(lock)
  const header = formatArchiveHeader({ format: 'sallyport-backup', version: 1, createdAtMs, writtenBy, lock: info })
  const temporary = `${file}.${process.pid}.part`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    let bytes = 0
    await pipeline(
      async function* () {
        for await (const line of lines) yield formatArchiveLine(line)
      },
      createGzip(),
      async function* (compressed: AsyncIterable<Buffer>) {
        yield header
        yield* encryptPieces(compressed, key, header)
      },
      async function* (sealed: AsyncIterable<Buffer>) {
        for await (const piece of sealed) {
          bytes += piece.length
          yield piece
        }
      },
      handle.createWriteStream({ flush: true }),
    )
    await rename(temporary, file)
    await flushFolder(dirname(file))
    return bytes
  } catch (error) {
    await rm(temporary, { force: true })
    throw addAttempt(`writing the backup ${file}`, error)
  }
}

/** The header alone, which needs neither password nor key. */
export async function readArchiveHeader(file: string): Promise<{ readonly header: ArchiveHeader; readonly line: Buffer }> {
  try {
    const handle = await open(file)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxArchiveHeaderBytes), 0, maxArchiveHeaderBytes, 0)
      return parseArchiveHeader(buffer.subarray(0, bytesRead))
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw addAttempt(`reading the backup ${file}`, error)
  }
}

/** An archive whose lock has been opened. */
export interface OpenArchive {
  /** The lines from the first to the last, as often as asked. Only when the last one has been taken is it sure that none is missing. */
  lines(): AsyncGenerator<ArchiveLine>
}

/** @throws ConnectivityError when the file is no archive, or needs another lock; whether the password is right shows with the first line. */
export async function openArchive(file: string, lock: ArchiveLock): Promise<OpenArchive> {
  const { header, line: headerLine } = await readArchiveHeader(file)
  const key = await openLock(lock, header.lock)
  return {
    async *lines() {
      const gunzip = createGunzip()
      const reading = pipeline(
        createReadStream(file, { start: headerLine.length }),
        (sealed: AsyncIterable<Buffer>) => decryptPieces(sealed, key, headerLine),
        gunzip,
      )
      // It is looked at below; until then nobody waits for it.
      reading.catch(() => {})
      try {
        for await (const line of linesOf(gunzip)) yield parseArchiveLine(line)
        await reading
      } catch (error) {
        throw addAttempt(`reading the backup ${file}`, error)
      } finally {
        gunzip.destroy()
      }
    },
  }
}

async function* linesOf(content: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let held: Buffer[] = []
  let heldBytes = 0
  const hold = (piece: Buffer): void => {
    heldBytes += piece.length
    // A few bytes of compressed content may become any number of them.
    if (heldBytes > maxArchiveLineBytes)
      throw new ConnectivityError('MESSAGE_INVALID', `the backup is damaged: a line is longer than ${maxArchiveLineBytes} bytes`)
    held.push(piece)
  }
  for await (const chunk of content) {
    let from = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
      hold(chunk.subarray(from, end))
      yield Buffer.concat(held).toString('utf8')
      held = []
      heldBytes = 0
      from = end + 1
    }
    hold(chunk.subarray(from))
  }
}

/** The name of the file survives a power cut only when its folder has been written. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder === '' ? '.' : folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
