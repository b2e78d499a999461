import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { usageError } from '../output/exit-code.ts'

/** Makes a file that only its owner reads. One that is there is not overwritten. @throws a usage error. */
export function writeNewFile(file: string, content: Buffer | string): void {
  const place = openNew(file)
  fill(file, place, content)
}

/**
 * As {@link writeNewFile}, for content that somebody else makes and may not make twice: the file is there before, so that whatever keeps it from being made shows
 * first. It is removed when there is no content. @returns the content.
 */
export async function writeNewFileOf<Content extends Buffer | string>(file: string, make: () => Promise<Content>): Promise<Content> {
  const place = openNew(file)
  let content: Content
  try {
    content = await make()
  } catch (error) {
    closeSync(place)
    rmSync(file, { force: true })
    throw error
  }
  fill(file, place, content)
  return content
}

function openNew(file: string): number {
  try {
    return openSync(file, 'wx', 0o600)
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    throw usageError(code === 'EEXIST' ? `"${file}" is there already; name another file` : `"${file}" cannot be written (${code})`)
  }
}

function fill(file: string, place: number, content: Buffer | string): void {
  try {
    writeFileSync(place, content)
  } catch (error) {
    rmSync(file, { force: true })
    throw usageError(`"${file}" cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  } finally {
    closeSync(place)
  }
}

/** @throws a usage error for a file that cannot be read. */
export function readWholeFile(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw usageError(`"${file}" cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}
