import { request as httpsRequest } from 'node:https'
import { ConnectivityError, createSecret } from '@sallyport/core'
import { createHttpBackend, createManualClock, createTestCa, type HttpBackend, type ManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdminListener, createAdminListener } from '../src/index.ts'
import { type ConnectorBench, mappingTo, startConnectorBench, until } from './connector-bench.ts'

const ca = createTestCa()
const own = ca.issue({ subject: '/CN=connector' })
const users: Readonly<Record<string, string>> = { 'admin:secret': 'Administrator', 'watch:secret': 'Monitoring', 'other:secret': 'Display' }

let clock: ManualClock
let backend: HttpBackend
let bench: ConnectorBench
let listener: AdminListener
let port: number
let addresses: string[]
beforeEach(async () => {
  clock = createManualClock()
  addresses = []
  backend = await createHttpBackend({
    answer: ({ target }) => {
      clock.advance(Number(target.slice(1)))
      return { body: 'ok' }
    },
  })
  bench = await startConnectorBench({
    clock,
    connector: { mappings: [mappingTo(backend.url), { virtual: 'db.demo:5432', internal: 'tcp://127.0.0.1:5432' }] },
  })
  listener = createAdminListener({
    connector: bench.connector,
    tls: { certificate: own.certificate, key: createSecret(own.key) },
    verify: async (user, password, address) => {
      addresses.push(address)
      if (user === 'busy') throw new ConnectivityError('SERVICE_UNAVAILABLE', 'too many log-ons at once')
      const role = users[`${user}:${password}`]
      return role === undefined ? undefined : { role }
    },
  })
  ;({ port } = await listener.listen({ host: '127.0.0.1', port: 0 }))
})
afterEach(async () => {
  await listener.close()
  await bench[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})

function get(path: string, auth?: string): Promise<{ readonly status: number; readonly body: string; readonly json: () => any }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      { host: '127.0.0.1', port, path, ca: ca.certificate, agent: false, ...(auth === undefined ? {} : { auth }) },
      (response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, json: () => JSON.parse(body) }))
      },
    )
    request.on('error', reject).end()
  })
}

describe('probes', () => {
  it('CC-161 /exposed?action=ping answers 200 without credentials', async () => {
    expect(await get('/exposed?action=ping')).toMatchObject({ status: 200, body: '' })
  })

  it('says that it is the master, and refuses other actions', async () => {
    expect(await get('/exposed?action=hasMasterRole')).toMatchObject({ status: 200, body: 'true' })
    expect(await get('/exposed?action=ensureMasterRole')).toMatchObject({ status: 200, body: 'true' })
    expect((await get('/exposed?action=shutdown')).status).toBe(400)
  })
})

describe('monitoring', () => {
  const paths = ['/api/monitoring/subaccounts', '/api/monitoring/connections/backends', '/api/monitoring/performance/backends']

  it.each(paths)('CC-163 %s is for Administrator and Monitoring only', async (path) => {
    expect((await get(path)).status).toBe(401)
    expect((await get(path, 'admin:wrong')).status).toBe(401)
    expect((await get(path, 'other:secret')).status).toBe(403)
    expect((await get(path, 'admin:secret')).status).toBe(200)
    expect((await get(path, 'watch:secret')).status).toBe(200)
  })

  it('checks a password together with the address that it comes from, and says when it cannot be checked now', async () => {
    expect((await get(paths[0] ?? '', 'admin:wrong')).status).toBe(401)
    expect(addresses).toEqual(['127.0.0.1'])
    const busy = await get(paths[0] ?? '', 'busy:secret')
    expect([busy.status, busy.json()]).toEqual([503, { type: 'RUNTIME_FAILURE', message: 'too many log-ons at once' }])
  })

  it('shows the tunnel and the subaccount certificate', async () => {
    const { subaccounts, version } = (await get('/api/monitoring/subaccounts', 'watch:secret')).json()
    expect(version).toBe(1)
    expect(subaccounts).toMatchObject([
      {
        subaccount: 'demo',
        locationID: '',
        regionHost: 'cloud',
        tunnel: {
          state: 'Connected',
          subaccountCertificate: { subjectDN: 'CN=bench', serialNumber: expect.stringMatching(/^([0-9a-f]{2}:)+[0-9a-f]{1,2}$/) },
        },
      },
    ])
    expect(subaccounts[0].tunnel.connectedSinceTimeStamp).toBe(clock.now())
    await bench.cloudSide.close({ graceMs: 0 })
    await until(() => bench.connector.status.links[0]?.tunnel.kind !== 'ready')
    expect((await get('/api/monitoring/subaccounts', 'watch:secret')).json().subaccounts[0].tunnel).toMatchObject({
      state: 'Disconnected',
      connectedSinceTimeStamp: 0,
    })
  })

  it('counts idle and active backend connections', async () => {
    const agent = bench.keepAlive()
    await bench.request({ agent, path: '/0' })
    const { subaccounts } = (await get('/api/monitoring/connections/backends', 'watch:secret')).json()
    expect(subaccounts[0].backendConnections).toEqual([
      { virtualBackend: 's4.demo:443', internalBackend: `127.0.0.1:${backend.address.port}`, protocol: 'HTTP', idle: 1, active: 0 },
      { virtualBackend: 'db.demo:5432', internalBackend: '127.0.0.1:5432', protocol: 'TCP', idle: 0, active: 0 },
    ])
    agent.destroy()
    await until(() => bench.connector.backends[0]?.mappings[0]?.idle === 0)
  })

  it('CC-158 sorts calls into buckets: 10 ms, 11 ms and more than 5 s', async () => {
    for (const path of ['/10', '/11', '/5001']) await bench.request({ path })
    const { subaccounts } = (await get('/api/monitoring/performance/backends', 'watch:secret')).json()
    const [{ backendPerformance, sinceTime }] = subaccounts
    expect(sinceTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} \+0000$/)
    expect(backendPerformance).toHaveLength(1)
    const { buckets, virtualHost, virtualPort } = backendPerformance[0]
    expect([virtualHost, virtualPort, buckets.length]).toEqual(['s4.demo', '443', 23])
    expect(buckets.filter((bucket: { numberOfCalls: number }) => bucket.numberOfCalls > 0)).toEqual([
      { numberOfCalls: 1, minimumCallDurationMs: 0 },
      { numberOfCalls: 1, minimumCallDurationMs: 10 },
      { numberOfCalls: 1, minimumCallDurationMs: 5000 },
    ])
  })
})
