import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@sallyport/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Configuration } from '../configuration/configuration.ts'
import { backUpInstallation, type MaintenanceContext, restoreInstallation } from './cloud-backup.ts'
import { openCloudDatabase } from './cloud-database.ts'
import { openDataFolder } from './data-folder.ts'
import { readDatabaseStatus } from './database-status.ts'

const database = { name: 'empty', parts: [] }
const databases = [database]

let root: string
let source: MaintenanceContext
let target: MaintenanceContext
let file: string

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-backup-'))
  const contextOf = (name: string): MaintenanceContext => ({
    configuration: { path: join(root, 'sallyport.yaml'), storage: { previousSealingKeys: [] } } as unknown as Configuration,
    folder: openDataFolder(join(root, name)),
    clock: systemClock,
  })
  source = contextOf('source')
  target = contextOf('target')
  file = join(root, 'backup')
  source.folder.write(['ca.key'], 'authority of the source')
  source.folder.write(['seal.key'], `${Buffer.alloc(32, 1).toString('base64')}\n`)
  target.folder.write(['seal.key'], `${Buffer.alloc(32, 1).toString('base64')}\n`)
  await (await openCloudDatabase(source, database)).destroy()
  await backUpInstallation(source, databases, { file, lock: undefined, replace: false })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

it('restores the files of the installation where there are none, and the same ones again', async () => {
  for (const before of [undefined, 'authority of the source']) {
    expect(target.folder.read('ca.key')).toBe(before)
    const { files } = await restoreInstallation(target, databases, { file, lock: undefined, replace: false })
    expect(files).toEqual(['ca.key'])
    expect(target.folder.read('ca.key')).toBe('authority of the source')
  }
})

it('throws the authority of another installation away only when told to', async () => {
  target.folder.write(['ca.key'], 'authority of the target')
  await expect(restoreInstallation(target, databases, { file, lock: undefined, replace: false })).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    message: expect.stringContaining('ca.key') as string,
  })
  expect(target.folder.read('ca.key')).toBe('authority of the target')
  await restoreInstallation(target, databases, { file, lock: undefined, replace: true })
  expect(target.folder.read('ca.key')).toBe('authority of the source')
})

it('makes nothing in a folder that is only looked at', async () => {
  const other = { ...target, folder: openDataFolder(join(root, 'never-used')) }
  await readDatabaseStatus(other, databases)
  await expect(backUpInstallation(other, databases, { file: join(root, 'b'), lock: undefined, replace: false })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
  expect(existsSync(other.folder.path)).toBe(false)
})
