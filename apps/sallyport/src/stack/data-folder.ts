import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The folder that holds everything one installation remembers (`.sallyport/` by default). Only its owner may read it;
 * files are written to a temporary name, flushed and renamed, so that a crash leaves either the old or the new one.
 */
export interface DataFolder {
  readonly path: string
  /** Absolute path of a file in the folder; its parents exist afterwards. */
  file(...names: readonly string[]): string
  /** Names of the files in a sub-folder; none when it does not exist. */
  list(...names: readonly string[]): readonly string[]
  read(...names: readonly string[]): string | undefined
  write(names: readonly string[], content: string): void
  remove(...names: readonly string[]): void
  /** Key of 32 bytes that seals secrets at rest; made on first use. */
  sealKey(): Buffer
}

/** Nothing is made before something is written. */
export function openDataFolder(path: string): DataFolder {
  const file = (...names: readonly string[]): string => {
    const full = join(path, ...names)
    mkdirSync(dirname(full), { recursive: true, mode: 0o700 })
    return full
  }
  const folder: DataFolder = {
    path,
    file,
    list(...names) {
      const full = join(path, ...names)
      return existsSync(full) ? readdirSync(full) : []
    },
    read(...names) {
      const full = join(path, ...names)
      return existsSync(full) ? readFileSync(full, 'utf8') : undefined
    },
    write: (names, content) => writeFileAtomically(file(...names), content),
    remove: (...names) => rmSync(join(path, ...names), { force: true }),
    sealKey() {
      const known = folder.read('seal.key')
      if (known !== undefined) return Buffer.from(known.trim(), 'base64')
      const key = randomBytes(32)
      folder.write(['seal.key'], `${key.toString('base64')}\n`)
      return key
    },
  }
  return folder
}

/** Writes a file that only its owner reads, all of it or nothing. */
export function writeFileAtomically(path: string, content: string): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  const handle = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(handle, content)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(temporary, path)
}
