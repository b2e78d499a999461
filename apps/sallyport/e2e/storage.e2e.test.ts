import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { request } from 'node:https'
import { join } from 'node:path'
import { freePort, type Postgres, skipUnless, startPostgres } from '@sallyport/real-backends'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { subaccounts, writeConfiguration } from './company.ts'
import { createInstallation, type Installation } from './installation.ts'

const skipped = skipUnless('postgres', 'initdb', 'psql')
let postgres: Postgres
let stack: Installation

beforeAll(async () => {
  if (skipped) return
  postgres = await startPostgres({ settings: { fsync: 'off' } })
  stack = await createInstallation()
}, 60_000)
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
  await postgres?.stop()
})

const storage = (url: string): string => `storage:\n  postgresql: { url: "${url}", password: { file: database-password }, tls: "off" }\n`

/** A request to the destination service on a port, as an application would send it. */
async function call(port: number, method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const { access_token: token } = await stack.json<{ access_token: string }>(['token', 'issue', '--client', 'destination'])
  const ca = readFileSync(join(stack.data, 'ca.crt'))
  const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  return new Promise((resolve, reject) => {
    const sent = request({ host: 'localhost', port, method, path: `/destination-configuration/v1${path}`, ca, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) }))
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
const destination = (name: string): Record<string, string> => ({
  Name: name,
  Type: 'HTTP',
  URL: 'http://a.test',
  ProxyType: 'Internet',
  Password: 'p4ss',
})

describe.skipIf(skipped)('services with PostgreSQL', () => {
  it('two destination services share one database; one is killed and the other goes on', async () => {
    const url = await postgres.createDatabase()
    writeFileSync(stack.file('database-password'), postgres.password)
    writeConfiguration(stack.file('server.yaml'), `${subaccounts}${storage(url)}`)
    const serve = (role: string, config: string, data?: string) =>
      stack.start(
        ['serve', role, '--config', stack.file(config), '--port-offset', String(stack.portOffset)],
        data === undefined ? {} : { data },
      )
    serve('token-service', 'server.yaml')
    await stack.ready(1)
    const first = serve('destination-service', 'server.yaml')
    await stack.ready(2)

    // The replica is another machine: it has the same identity and key, and nothing else.
    const replica = join(stack.folder, 'replica')
    mkdirSync(replica)
    for (const name of ['instances.json', 'seal.key', 'ca.crt', 'ca.key']) cpSync(join(stack.data, name), join(replica, name))
    const port = await freePort()
    const own = `server: { destinationService: { port: ${port} } }\n`
    writeConfiguration(stack.file('replica.yaml'), `${subaccounts}${storage(url)}${own}`)
    const second = serve('destination-service', 'replica.yaml', replica)
    await stack.ready(1, { data: replica })

    expect((await call(stack.port('destinationService'), 'POST', '/subaccountDestinations', destination('FROM_FIRST'))).status).toBe(201)
    expect((await call(port, 'GET', '/subaccountDestinations/FROM_FIRST')).body).toMatchObject({ Name: 'FROM_FIRST', Password: 'p4ss' })
    first.kill('SIGKILL')
    await once(first, 'exit')
    expect((await call(port, 'POST', '/subaccountDestinations', destination('FROM_SECOND'))).status).toBe(201)
    expect((await call(port, 'GET', '/destinations/S4_DEMO?$skipTokenRetrieval=true')).status).toBe(200)
    serve('destination-service', 'server.yaml')
    await stack.ready(2)
    expect((await call(stack.port('destinationService'), 'GET', '/subaccountDestinations/FROM_SECOND')).status).toBe(200)
    second.kill('SIGTERM')
    await once(second, 'exit')
  }, 90_000)

  it('a backup of PostgreSQL, taken while services run, restores into SQLite elsewhere', async () => {
    const config = ['--config', stack.file('server.yaml')]
    const file = stack.file('cloud.backup')
    const environment = { SALLYPORT_BACKUP_PASSWORD: 'c0rrect horse' }
    const written = await stack.run(['--json', 'db', 'backup', file, ...config], { environment })
    expect(JSON.parse(written.stdout)).toMatchObject({ lock: 'password', tables: { entity: 4 } })
    expect((await stack.run(['db', 'backup', file, ...config], { environment })).stderr).toContain('exists already')

    const elsewhere = join(stack.folder, 'elsewhere')
    writeConfiguration(
      stack.file('elsewhere.yaml'),
      `${subaccounts}server: { destinationService: { port: ${await freePort()} }, tokenService: { port: ${await freePort()} } }\n`,
    )
    const there = (words: readonly string[]) =>
      stack.run(['--json', ...words, '--config', stack.file('elsewhere.yaml')], { data: elsewhere, environment })
    const wrong = await stack.run(['db', 'restore', file, '--config', stack.file('elsewhere.yaml')], {
      data: elsewhere,
      environment: { SALLYPORT_BACKUP_PASSWORD: 'incorrect' },
    })
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('the password is wrong') })
    expect(JSON.parse((await there(['db', 'restore', file, '--check'])).stdout)).toMatchObject({
      tables: { entity: 4 },
      writtenBy: expect.any(String),
    })
    const restored = await there(['db', 'restore', file])
    expect(restored).toMatchObject({ code: 0 })
    expect(JSON.parse(restored.stdout)).toMatchObject({
      tables: { entity: 4 },
      files: expect.arrayContaining(['instances.json', 'ca.crt', 'ca.key']) as string[],
    })
    expect(JSON.parse((await there(['db', 'status'])).stdout)).toMatchObject({ ready: true })
    expect(JSON.parse((await there(['db', 'restore', file])).stdout)).toMatchObject({
      error: { message: expect.stringContaining('holds data already') },
    })
    stack.start(['serve', 'token-service,destination-service', '--config', stack.file('elsewhere.yaml')], { data: elsewhere })
    await stack.ready(2, { data: elsewhere })
    const refused = await there(['db', 'restore', file, '--replace'])
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { message: expect.stringContaining('while services run') } })
    const shown = await stack.run(['--json', 'destination', 'get', 'FROM_SECOND', '--reveal'], { data: elsewhere })
    expect(JSON.parse(shown.stdout)).toMatchObject({ Name: 'FROM_SECOND', Password: 'p4ss' })

    // The key is changed while they run; what they read afterwards opens, also what they have not read before.
    const rotated = await there(['db', 'rotate', '--values'])
    expect(JSON.parse(rotated.stdout)).toMatchObject({ madeKey: true, sealedAgain: expect.any(Number) })
    const after = await stack.run(['--json', 'destination', 'get', 'FROM_FIRST', '--reveal'], { data: elsewhere })
    expect(JSON.parse(after.stdout)).toMatchObject({ Password: 'p4ss' })
    await stack.run(['stop'], { data: elsewhere })
  }, 90_000)

  it('what is wrong with the database is said at the start', async () => {
    const url = await postgres.createDatabase()
    const start = async (more: readonly string[], environment = {}): Promise<string> => {
      const outcome = await stack.run(
        ['serve', 'connectivity-proxy', '--config', stack.file('server.yaml'), '--port-offset', String(stack.portOffset), ...more],
        { environment },
      )
      expect(outcome.code).toBe(1)
      return outcome.stdout + outcome.stderr
    }
    writeFileSync(stack.file('wrong-password'), 'wr0ng')
    const wrong = await start(['--database', url, '--database-password-file', stack.file('wrong-password')])
    expect(wrong).toMatch(/check user and password/)
    expect(wrong).not.toContain('wr0ng')
    expect(await start(['--database', `postgresql://nobody@127.0.0.1:${await freePort()}/none`])).toMatch(/check that the server runs/)
    expect(await start(['--database', url.replace('sallyport@', 'sallyport:s3cret@')])).toMatch(/holds a password/)
  }, 60_000)
})
