import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@sallyport/core'
import { createSqlEntityRepository, type DestinationTables, type EntityKind, type EntityRepository } from '@sallyport/destination-service'
import { createDataKeys, createSealer, type Database } from '@sallyport/store'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Configuration } from '../configuration/configuration.ts'
import { parseConfiguration } from '../configuration/read-configuration.ts'
import { openCloudDatabase } from './cloud-database.ts'
import { createConfiguredEntities } from './create-configured-entities.ts'
import { openDataFolder } from './data-folder.ts'
import { destinationDatabase } from './destination-service-part.ts'
import { masterKeys } from './master-keys.ts'

let folder: string
let db: Database<DestinationTables>
let repository: EntityRepository

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-configured-'))
  writeFileSync(join(folder, 'secret'), 's3cret\n')
  const context = { configuration: parsed(''), folder: openDataFolder(folder) }
  db = await openCloudDatabase<DestinationTables>(context, destinationDatabase)
  const master = createSealer(masterKeys(context))
  repository = createSqlEntityRepository({ db, sealers: createDataKeys({ db, master, clock: systemClock }) })
})
afterEach(async () => {
  await db.destroy()
  rmSync(folder, { recursive: true })
})

function parsed(text: string): Configuration {
  const result = parseConfiguration(text, join(folder, 'sallyport.yaml'))
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return result.configuration
}

const create = (text: string, environment: Record<string, string> = {}): Promise<number> =>
  createConfiguredEntities(repository, parsed(text), 1, environment)
const stored = async (kind: EntityKind, name: string): Promise<unknown> =>
  (await repository.read(kind, { subaccountId: 'a', instanceId: null }, [name]))[0]?.properties

it('creates destinations and fragments with the texts that they refer to, and no second time', async () => {
  const text = `subaccounts:
  - id: a
    destinations: [{ Name: same, Type: HTTP, URL: { env: TARGET }, sap-client: 100 }]
    fragments: [{ FragmentName: same, Password: { file: secret }, HTML5.ForwardAuthToken: true }]
  - id: b
    fragments: [{ FragmentName: same }]
`
  expect(await create(text, { TARGET: 'https://a.example' })).toBe(3)
  expect(await stored('destination', 'same')).toEqual({ Name: 'same', Type: 'HTTP', URL: 'https://a.example', 'sap-client': '100' })
  const fragment = { FragmentName: 'same', Password: 's3cret', 'HTML5.ForwardAuthToken': 'true' }
  expect(await stored('fragment', 'same')).toEqual(fragment)
  writeFileSync(join(folder, 'secret'), 'another')
  expect(await create(text, { TARGET: 'https://b.example' })).toBe(0)
  expect(await stored('fragment', 'same')).toEqual(fragment)
})

it('refuses a text of somewhere else that cannot be stored, naming what it belongs to and nothing of it', async () => {
  writeFileSync(join(folder, 'secret'), 'x'.repeat(1_000_000))
  const refused = create('subaccounts: [{ id: a, fragments: [{ FragmentName: large, Password: { file: secret } }] }]')
  await expect(refused).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    message: expect.stringMatching(/the fragment "large": Property "Password" is longer than \d+ bytes$/) as string,
  })
  expect(await stored('fragment', 'large')).toBeUndefined()
})
