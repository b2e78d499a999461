import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConnectivityError, type Sealer } from '@sallyport/core'

/** Keeps what the connector makes or receives itself: identities, generated keys, the trust list. Names are ours, values are secret. */
export interface MaterialStore {
  load(name: string): Promise<string | undefined>
  save(name: string, text: string): Promise<void>
  remove(name: string): Promise<void>
  names(): Promise<readonly string[]>
}

/**
 * One sealed file per name, readable by its owner only. A file is replaced as a whole: after a crash there is the old one or the new one.
 *
 * @throws ConnectivityError `STORE_FAILED` when the folder cannot be used, or a file was changed or sealed with another machine's key.
 */
export function createMaterialFolder(options: { readonly folder: string; readonly sealer: Sealer }): MaterialStore {
  const { folder, sealer } = options
  const fileOf = (name: string): string => join(folder, `${encodeURIComponent(name).replaceAll('.', '%2E')}.sealed`)
  return {
    async load(name) {
      try {
        return sealer.open(await readFile(fileOf(name), 'utf8'), contextOf(name))
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return undefined
        throw failed('read', name, error)
      }
    },
    async save(name, text) {
      const file = fileOf(name)
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await replaceFile(file, sealer.seal(text, contextOf(name)))
      } catch (error) {
        throw failed('write', name, error)
      }
    },
    remove: (name) => rm(fileOf(name), { force: true }),
    async names() {
      try {
        const files = await readdir(folder)
        return files.filter((file) => file.endsWith('.sealed')).map((file) => decodeURIComponent(file.slice(0, -'.sealed'.length)))
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return []
        throw failed('read', 'material', error)
      }
    },
  }
}

/** Material that lives as long as the process, for embedding and tests. */
export function createMaterialMemory(): MaterialStore {
  const texts = new Map<string, string>()
  return {
    load: (name) => Promise.resolve(texts.get(name)),
    async save(name, text) {
      texts.set(name, text)
    },
    async remove(name) {
      texts.delete(name)
    },
    names: () => Promise.resolve([...texts.keys()]),
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`
  await rm(temporary, { force: true })
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(text, 'utf8')
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
  const folder = await open(dirname(file), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function contextOf(name: string): string {
  return `cloud-connector material ${name}`
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function failed(verb: 'read' | 'write', name: string, cause: unknown): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
  return new ConnectivityError('STORE_FAILED', `cannot ${verb} the connector's ${name} (${code})`, { cause })
}
