import { readFileSync, writeFileSync } from 'node:fs'
import { usageError } from '../output/exit-code.ts'

/** Makes a file that only its owner reads. One that is there is not overwritten. @throws a usage error. */
export function writeNewFile(file: string, content: Buffer | string): void {
  try {
    writeFileSync(file, content, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    throw usageError(code === 'EEXIST' ? `"${file}" is there already; name another file` : `"${file}" cannot be written (${code})`)
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
