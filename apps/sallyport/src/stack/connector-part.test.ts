import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectorIdentity, saveIdentity } from '@sallyport/cloud-connector'
import { createSecret, silentLogger, systemClock } from '@sallyport/core'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Configuration } from '../configuration/configuration.ts'
import { emptyConfiguration, requireConfiguration } from '../configuration/read-configuration.ts'
import { createEventLog } from '../trace/event-log.ts'
import { openConnectorMaterial } from './connector-material.ts'
import { startConnectorPart } from './connector-part.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import type { RunningPart } from './part.ts'
import { portsWithOffset } from './ports.ts'

let path: string
let folder: DataFolder
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sallyport-'))
  folder = openDataFolder(join(path, 'data'))
})
afterEach(() => rmSync(path, { recursive: true }))

it('starts without a configuration file, to be administered, and keeps what was changed', async () => {
  const part = await start()
  try {
    expect(await part.status()).toMatchObject([{ part: 'connector', ready: true, detail: 'administered, without subaccounts' }])
    expect(await call(await portOf(part), 'POST', '/api/v1/configuration/connector/haRole', 'master')).toMatchObject({ status: 204 })
  } finally {
    await part.close(0)
  }
  const again = await start()
  try {
    expect(await call(await portOf(again), 'POST', '/api/v1/configuration/connector/haRole', 'master')).toMatchObject({ status: 409 })
  } finally {
    await again.close(0)
  }
})

it('shows what a configuration file says, and refuses to change it', async () => {
  const file = join(path, 'sallyport.yaml')
  writeFileSync(file, 'version: 1\nconnectors: [{ subaccount: demo }]\n')
  await saveIdentity(openConnectorMaterial(folder).store, identity)
  const part = await start(requireConfiguration(file))
  try {
    const port = await portOf(part)
    expect(await call(port, 'PUT', '/api/v1/configuration/connector', { description: 'other' })).toMatchObject({
      status: 403,
      body: { type: 'FORBIDDEN_REQUEST', message: expect.stringContaining(file) },
    })
    expect(await call(port, 'GET', '/api/v1/configuration/connector')).toMatchObject({ status: 200, body: { ha: 'master' } })
  } finally {
    await part.close(0)
  }
})

const pair = createTestCa().issue({ subject: '/CN=connector' })
const identity: ConnectorIdentity = {
  subaccount: 'demo',
  locationId: '',
  connectorId: 'c',
  description: '',
  tunnelEndpoint: 'tls://127.0.0.1:9',
  certificate: pair.certificate,
  key: createSecret(pair.key),
  authorities: pair.certificate,
}

function start(configuration: Configuration = emptyConfiguration(path)): Promise<RunningPart> {
  return startConnectorPart({
    folder,
    configuration: { ...configuration, connectorAdmin: { host: '127.0.0.1', port: 0 } },
    ports: portsWithOffset(0),
    clock: systemClock,
    log: silentLogger,
    events: createEventLog(1),
  })
}

async function portOf(part: RunningPart): Promise<number> {
  const [status] = await part.status()
  return Number(new URL(status?.addresses[0] ?? '').port)
}

function call(port: number, method: string, url: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
  const password = folder.read('connector', 'initial-password')?.trim() ?? ''
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path: url,
        ca: folder.read('ca.crt'),
        agent: false,
        auth: `Administrator:${password}`,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
      },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : (JSON.parse(text) as unknown) }),
        )
      },
    )
    sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
  })
}
