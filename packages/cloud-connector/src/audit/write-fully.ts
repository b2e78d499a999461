import type { FileHandle } from 'node:fs/promises'

/** Writes all bytes at a place of a file, however many calls that takes. */
export async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}
