import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

let installation: Installation
beforeEach(async () => {
  installation = await createInstallation()
})
afterEach(() => installation[Symbol.asyncDispose]())

const mapping = {
  virtualHost: 'erp',
  virtualPort: '443',
  localHost: 'erp.internal',
  localPort: '8000',
  protocol: 'HTTP',
  backendType: 'abapSys',
  authenticationMode: 'NONE',
  resources: [{ id: '/sap', enabled: true }],
}

/** What was made, by name. */
const made = (folder: string): readonly string[] => readdirSync(installation.file(folder)).toSorted()

it('a connector that runs is asked with user and password, and a configuration that is valid comes out', async () => {
  installation.start(['serve', 'connector', '--port-offset', String(installation.portOffset)])
  await installation.ready(1)
  const password = join(installation.data, 'connector', 'initial-password')
  const address = `https://localhost:${installation.port('connectorAdmin')}`
  const certificate = ['--certificate', join(installation.data, 'ca.crt')]
  const words = ['config', 'migrate-from-scc', address, '--out', installation.file('made'), '--password-file', password]
  expect((await installation.run(words)).stderr).toContain('--certificate')
  // The password has to be changed first, and the connector says so.
  expect((await installation.run([...words, ...certificate])).code).toBe(4)
  const changed = installation.file('password')
  writeFileSync(changed, 'changed and long')
  await setUp(address, readFileSync(password, 'utf8').trim(), 'changed and long')
  const migrated = await installation.run([...words.slice(0, -1), changed, ...certificate])
  expect([migrated.code, migrated.stderr]).toEqual([0, ''])
  expect(made('made')).toEqual(['answers.json', 'connector.yaml', 'report.json'])
  expect(await installation.run(['config', 'validate', installation.file('made/connector.yaml')])).toMatchObject({ code: 0 })
  // A folder that is there is not written into.
  expect(await installation.run([...words.slice(0, -1), changed, ...certificate])).toMatchObject({ code: 2 })
}, 60_000)

it('saved mappings become a configuration for both kinds of installations; what is left out is said, and told by the status', async () => {
  const source = installation.file('mappings.json')
  writeFileSync(source, JSON.stringify([mapping, { ...mapping, virtualHost: 'old', authenticationMode: 'X509_CERTIFICATE' }]))
  const words = ['config', 'migrate-from-scc', source, '--out', installation.file('made')]
  expect((await installation.run(words)).stderr).toContain('--subaccount')
  const migrated = await installation.run([...words, '--subaccount', 'cf.eu12.example/demo', '--json'])
  expect(migrated.code).toBe(3)
  expect(JSON.parse(migrated.stdout)).toMatchObject({
    taken: { subaccounts: 1, systemMappings: 1, resources: 1 },
    leftOut: [{ what: 'subaccount demo, mapping old:443', note: expect.stringContaining('authenticationMode') }],
  })
  expect(made('made')).toEqual(['answers.json', 'connector.yaml', 'report.json', 'subaccount-1-demo.zip'])
  expect(statSync(installation.file('made/connector.yaml')).mode & 0o077).toBe(0)
  expect(readFileSync(installation.file('made/connector.yaml'), 'utf8')).toContain('virtual: erp:443')
  expect(await installation.run(['config', 'validate', installation.file('made/connector.yaml')])).toMatchObject({ code: 0 })
  // The answers that were kept are read, too.
  const kept = installation.file('made/answers.json')
  const again = await installation.run(['config', 'migrate-from-scc', kept, '--out', installation.file('again')])
  expect(again.stdout).toContain('1 system mappings')
})

it('nothing is read through links, and nothing is made of what says nothing', async () => {
  symlinkSync('/etc/passwd', installation.file('link'))
  const words = (source: string): readonly string[] => ['config', 'migrate-from-scc', source, '--out', installation.file('made')]
  expect(await installation.run(words(installation.file('link')))).toMatchObject({ code: 2 })
  writeFileSync(installation.file('backup.zip'), 'no archive')
  expect((await installation.run(words(installation.file('backup.zip')))).stderr).toContain('none of the files can be read: backup.zip')
  expect(readdirSync(installation.folder)).not.toContain('made')
})

/** Sets the connector up as far as it has to be before it answers anything else. */
async function setUp(address: string, initial: string, password: string): Promise<void> {
  const { createPinnedCaller } = await import('../src/connector-client/pinned-call.ts')
  using call = createPinnedCaller(address, readFileSync(join(installation.data, 'ca.crt'), 'utf8'))
  const send = async (method: 'PUT' | 'POST', path: string, as: string, body: unknown): Promise<void> => {
    const authorization = `Basic ${Buffer.from(`Administrator:${as}`).toString('base64')}`
    const headers = { 'content-type': 'application/json', authorization }
    const answer = await call({ method, path: `/api/v1/configuration/connector/${path}`, headers, body: JSON.stringify(body) })
    expect(answer.status).toBe(204)
  }
  await send('PUT', 'authentication/basic', initial, { oldPassword: initial, newPassword: password })
  await send('POST', 'haRole', password, 'master')
}
