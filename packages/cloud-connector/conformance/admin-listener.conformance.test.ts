import { createHttpBackend, createManualClock, type HttpBackend, type ManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdminBench, startAdminBench } from './admin-bench.ts'
import { type ConnectorBench, mappingTo, startConnectorBench, until } from './connector-bench.ts'

let clock: ManualClock
let backend: HttpBackend
let bench: ConnectorBench
let admin: AdminBench
beforeEach(async () => {
  clock = createManualClock()
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
  admin = await startAdminBench({ connector: bench.connector, clock })
})
afterEach(async () => {
  await admin[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})

const get: AdminBench['get'] = (path, auth) => admin.get(path, auth)

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
  const paths = [
    'subaccounts',
    'connections/backends',
    'connections/serviceChannels',
    'performance/backends',
    'performance/topTimeConsumers',
    'usage',
    'memory',
    'disk',
    'cpu',
    'certificates',
    'certificates/expired',
    'certificates/expiring',
    'certificates/ok',
    'hardware',
    'alerts',
  ].map((path) => `/api/monitoring/${path}`)

  it.each(paths)('%s is for whom the listener is told to admit', async (path) => {
    expect((await get(path)).status).toBe(401)
    expect((await get(path, 'watch:wrong')).status).toBe(401)
    expect((await get(path, 'watch:secret')).status).toBe(200)
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

  it('gives Prometheus what it shows, to whom it is shown', async () => {
    for (const path of ['/10', '/5001']) await bench.request({ path })
    expect((await get('/metrics')).status).toBe(401)
    const { body, type } = await get('/metrics', 'watch:secret')
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
    const lines = body.trimEnd().split('\n')
    const line = /^(?:# (?:HELP|TYPE) sallyport_connector_\w+ .+|sallyport_connector_\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? [\d.e+-]+)$/
    expect(lines.filter((each) => !line.test(each))).toEqual([])
    const link = 'subaccount="demo",location_id=""'
    const mapping = `${link},virtual_host="s4.demo:443",protocol="HTTP"`
    expect(lines).toEqual(
      expect.arrayContaining([
        `sallyport_connector_tunnel_up{${link}} 1`,
        `sallyport_connector_calls_total{${mapping}} 2`,
        `sallyport_connector_call_duration_seconds_bucket{${mapping},le="0.01"} 1`,
        `sallyport_connector_call_duration_seconds_bucket{${mapping},le="5"} 1`,
        `sallyport_connector_call_duration_seconds_bucket{${mapping},le="+Inf"} 2`,
        `sallyport_connector_call_duration_seconds_sum{${mapping}} 5.011`,
        `sallyport_connector_call_duration_seconds_count{${mapping}} 2`,
      ]),
    )
  })
})
