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

const base = '/api/v1/configuration/connector'
let path: string
let folder: DataFolder
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sallyport-'))
  folder = openDataFolder(join(path, 'data'))
})
afterEach(() => rmSync(path, { recursive: true }))

it('starts without a configuration file, to be administered, and keeps what was changed', async () => {
  const part = await start()
  const initial = folder.read('connector', 'initial-password')?.trim()
  try {
    expect(await part.status()).toMatchObject([{ part: 'connector', ready: true, detail: 'administered, without subaccounts' }])
    const port = await portOf(part)
    expect(await call(port, 'POST', `${base}/haRole`, 'master')).toMatchObject({ status: 403 })
    const body = { oldPassword: initial, newPassword: 'changed' }
    expect(await call(port, 'PUT', `${base}/authentication/basic`, body)).toMatchObject({ status: 204 })
    expect(folder.read('connector', 'initial-password')).toBeUndefined()
    expect(await call(port, 'POST', `${base}/haRole`, 'master', 'changed')).toMatchObject({ status: 204 })
  } finally {
    await part.close(0)
  }
  const again = await start()
  try {
    expect(await call(await portOf(again), 'POST', `${base}/haRole`, 'master', 'changed')).toMatchObject({ status: 409 })
  } finally {
    await again.close(0)
  }
})

it('begins with the password of the original for tests on this machine only', async () => {
  const part = await start(undefined, { compatDefaultPassword: true })
  try {
    expect(await call(await portOf(part), 'GET', base, undefined, 'manage')).toMatchObject({ status: 403 })
  } finally {
    await part.close(0)
  }
  const everywhere = { ...emptyConfiguration(path), connectorAdmin: { host: '0.0.0.0' } }
  await expect(start(everywhere, { compatDefaultPassword: true })).rejects.toThrow(/default password is for tests on this machine/)
})

it('shows what a configuration file says, and refuses to change it', async () => {
  const file = join(path, 'sallyport.yaml')
  writeFileSync(file, 'version: 1\nconnectors: [{ subaccount: demo }]\n')
  await saveIdentity(openConnectorMaterial(folder).store, identity)
  const part = await start(requireConfiguration(file))
  try {
    const port = await portOf(part)
    expect(await call(port, 'PUT', base, { description: 'other' })).toMatchObject({
      status: 403,
      body: { type: 'FORBIDDEN_REQUEST', message: expect.stringContaining(file) },
    })
    expect(await call(port, 'GET', base)).toMatchObject({ status: 200, body: { ha: 'master' } })
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

function start(
  configuration: Configuration = emptyConfiguration(path),
  options: { readonly compatDefaultPassword?: boolean } = {},
): Promise<RunningPart> {
  return startConnectorPart(
    {
      folder,
      configuration: { ...configuration, connectorAdmin: { ...configuration.connectorAdmin, port: 0 } },
      ports: portsWithOffset(0),
      clock: systemClock,
      log: silentLogger,
      events: createEventLog(1),
      restart: () => {},
    },
    options,
  )
}

async function portOf(part: RunningPart): Promise<number> {
  const [status] = await part.status()
  return Number(new URL(status?.addresses[0] ?? '').port)
}

function call(
  port: number,
  method: string,
  url: string,
  body?: unknown,
  password: string = folder.read('connector', 'initial-password')?.trim() ?? '',
): Promise<{ readonly status: number; readonly body: unknown }> {
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
