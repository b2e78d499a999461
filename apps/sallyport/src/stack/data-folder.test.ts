import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import { openInstances } from './instances.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sallyport-'))
})
afterEach(() => rmSync(path, { recursive: true }))

/** A process that has looked for its files just before another one wrote them. */
function looksTooEarly(folder: DataFolder): DataFolder {
  const early: DataFolder = { ...folder, read: () => undefined }
  return early
}

describe('data folder', () => {
  it('makes the sealing key once, readable by its owner only', () => {
    const key = openDataFolder(path).sealKey()
    expect(key).toHaveLength(32)
    expect(openDataFolder(path).sealKey().equals(key)).toBe(true)
    expect(statSync(join(path, 'seal.key')).mode & 0o777).toBe(0o600)
  })

  it('lets processes that start at the same moment use the same instances', () => {
    const first = openInstances(openDataFolder(path))
    expect(openInstances(looksTooEarly(openDataFolder(path)))).toEqual(first)
    expect(openInstances(openDataFolder(path))).toEqual(first)
  })

  it('keeps what is there when it writes once, and leaves nothing else behind', () => {
    const folder = openDataFolder(path)
    expect(folder.writeOnce(['a'], 'first')).toBe('first')
    expect(folder.writeOnce(['a'], 'second')).toBe('first')
    expect(readdirSync(path)).toEqual(['a'])
  })

  it('leaves no copy of a secret behind when a file cannot be put in its place', () => {
    const folder = openDataFolder(path)
    mkdirSync(join(path, 'key', 'taken'), { recursive: true })
    expect(() => folder.write(['key'], 'secret')).toThrow('EISDIR')
    expect(readdirSync(path)).toEqual(['key'])
  })
})
