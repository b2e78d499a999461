import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ConnectivityError } from '@sallyport/core'

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
  /** Writes a file unless it is there, and returns what it holds then: of several processes that start at the same moment, all use what one has made. */
  writeOnce(names: readonly string[], content: string): string
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
      return ifThere(path, () => readdirSync(join(path, ...names))) ?? []
    },
    read(...names) {
      return ifThere(path, () => readFileSync(join(path, ...names), 'utf8'))
    },
    write: (names, content) => writeFileAtomically(file(...names), content),
    writeOnce(names, content) {
      const full = file(...names)
      withTemporary(full, content, (temporary) => {
        try {
          linkSync(temporary, full)
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        }
      })
      return readFileSync(full, 'utf8')
    },
    remove: (...names) => rmSync(join(path, ...names), { force: true }),
    sealKey() {
      const known = folder.read('seal.key')
      if (known !== undefined) return Buffer.from(known.trim(), 'base64')
      return Buffer.from(folder.writeOnce(['seal.key'], `${randomBytes(32).toString('base64')}\n`).trim(), 'base64')
    },
  }
  return folder
}

/** What is not there is absent; what is there and cannot be read must not pass for that. */
function ifThere<Content>(folder: string, read: () => Content): Content | undefined {
  try {
    return read()
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    const why = code === 'ENOTDIR' ? 'is not a folder' : `cannot be read (${code})`
    throw new ConnectivityError('CONFIGURATION_INVALID', `the data folder ${folder} ${why}`, {
      cause,
      details: { next: 'run this as the user that it belongs to, or name another folder with --data' },
    })
  }
}

/** Writes a file, all of it or nothing; only its owner reads it unless `mode` says otherwise. */
export function writeFileAtomically(path: string, content: string | Buffer, mode = 0o600): void {
  withTemporary(path, content, (temporary) => {
    if (mode !== 0o600) chmodSync(temporary, mode)
    renameSync(temporary, path)
  })
}

/** Lets `place` put a file that is wholly on the disk where it belongs. Whatever happens, nothing secret stays under the temporary name. */
function withTemporary(path: string, content: string | Buffer, place: (temporary: string) => void): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    const handle = openSync(temporary, 'wx', 0o600)
    try {
      // Not `writeSync`: a disk that is nearly full takes a part and says so with a number only.
      writeFileSync(handle, content)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    place(temporary)
  } finally {
    rmSync(temporary, { force: true })
  }
}
