import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openAuditIndex } from './audit-index.ts'

/** What reached stable storage and when, which no file shows afterwards. */
const done: string[] = vi.hoisted(() => [])
vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>()
  return {
    ...real,
    rename: async (from: string, to: string) => {
      await real.rename(from, to)
      done.push(`renamed ${to}`)
    },
    open: async (path: string, ...more: []) => {
      const handle = await real.open(path, ...more)
      for (const name of ['sync', 'datasync'] as const) {
        const flush = handle[name].bind(handle)
        handle[name] = async () => {
          await flush()
          done.push(`flushed ${path}`)
        }
      }
      return handle
    },
  }
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-'))
  done.length = 0
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('a log is in the index when content and name of the file are on stable storage', async () => {
  const index = await openAuditIndex({ folder, key: createSecretKey(randomBytes(32)) })
  await index.add('demo')
  const path = join(folder, 'audit-log.index')
  expect(done).toEqual([expect.stringMatching(/^flushed .*audit-log\.index\.\w+$/), `renamed ${path}`, `flushed ${folder}`])
})
