import { X509Certificate } from 'node:crypto'
import { cpSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

const samples = join(import.meta.dirname, '..', '..', '..', 'test-fixtures', 'earlier-installations')

let installation: Installation
beforeEach(async () => {
  installation = await createInstallation()
})
afterEach(() => installation[Symbol.asyncDispose]())

/** Starts the connector of today with a copy of what an earlier state has left; its cloud side is gone. */
async function startWith(sample: string, words: readonly string[] = []): Promise<void> {
  cpSync(join(samples, sample), installation.data, { recursive: true })
  installation.start(['serve', 'connector', ...words, '--port-offset', String(installation.portOffset)])
  // It is up, though not ready: there is no tunnel.
  for (const deadline = Date.now() + 40_000; Date.now() < deadline; await sleep(200))
    if ((await installation.run(['--json', 'mapping', 'list'])).code === 0) return
  throw new Error('the connector does not answer')
}
/** A status that is not ready has an exit code of its own. */
const json = async (...words: readonly string[]): Promise<any> => JSON.parse((await installation.run(['--json', ...words])).stdout)

function get(path: string, auth: string, accept = 'application/json'): Promise<{ readonly status: number; readonly body: Buffer }> {
  const port = installation.port('connectorAdmin')
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, auth, headers: { accept }, rejectUnauthorized: false, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => void chunks.push(chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }))
    })
      .on('error', reject)
      .end()
  })
}

describe('CC-180 what an earlier state of the project has left on disk', () => {
  it('a sealed data folder of an administered connector opens: users, configuration, keys and audit log', async () => {
    await startWith('administered')
    expect(await json('mapping', 'list')).toMatchObject({ mappings: [{ virtualHost: 'plain.demo', localHost: 'backend.sample' }] })
    expect(await json('resource', 'list', 'plain.demo:80')).toMatchObject({ resources: [{ id: '/of-the-sample', enabled: true }] })
    const cfg = '/api/v1/configuration/connector'
    const password = 'Administrator:word of the sample'
    expect((await get(cfg, 'Administrator:another word')).status).toBe(401)
    const connector = await get(cfg, password)
    expect(JSON.parse(connector.body.toString())).toMatchObject({ ha: 'master', description: 'plant of the sample' })
    // The key of the authority signs.
    const rules = `${cfg}/onPremises/subjectPatternRules/0/sampleCertificate?name=jane`
    const sample = new X509Certificate((await get(rules, password, 'application/pkix-cert')).body)
    expect(sample.issuer).toContain('CN=CA of the sample')
    // The identity is there, and is used: it dials the cloud side of then.
    expect(await json('connector', 'status')).toMatchObject({
      connectors: [{ subaccount: 'demo', certificateUntil: '2027-11-23', problem: expect.stringContaining('localhost:29042') }],
    })
    // What was logged then and now is one chain.
    expect(await json('audit', 'verify')).toMatchObject({ intact: true })
    expect((await installation.run(['resource', 'add', 'plain.demo:80', '/of-today'])).code).toBe(0)
  }, 60_000)

  it('a sealed data folder and the configuration file that it ran with: identity, generated keys and trust', async () => {
    const file = join(samples, 'by-file.yaml')
    await startWith('by-file', ['--config', file])
    expect(await json('connector', 'status')).toMatchObject({
      connectors: [
        {
          subaccount: 'demo',
          locationId: 'filed',
          mappings: 3,
          certificateUntil: '2027-11-23',
          trustedIssuers: ['https://127.0.0.1:29445/oauth/token'],
        },
      ],
    })
    const listed = await json('mapping', 'list')
    expect(listed.mappings.map(({ virtualHost }: { virtualHost: string }) => virtualHost)).toEqual(['s4.demo', 'plain.demo', 'echo.demo'])
    expect(await json('audit', 'verify')).toMatchObject({ intact: true })
  }, 60_000)
})
