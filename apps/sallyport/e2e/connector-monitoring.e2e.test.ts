import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

const partners = '/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner'
const told: { readonly type: string }[] = []
const hook = createServer((asked, answer) => {
  let text = ''
  asked.on('data', (chunk: Buffer) => (text += chunk.toString()))
  asked.on('end', () => {
    told.push(JSON.parse(text) as { readonly type: string })
    answer.end()
  })
})

let stack: Installation
const start = (): Promise<void> => stack.dev(['--config', join(stack.data, 'monitored.yaml')])
beforeAll(async () => {
  await once(hook.listen(0, '127.0.0.1'), 'listening')
  stack = await createInstallation()
  await stack.dev()
  await stack.run(['stop'])
  writeFileSync(join(stack.data, 'webhook-secret'), 'a secret of enough characters\n')
  writeFileSync(
    join(stack.data, 'monitored.yaml'),
    `${readFileSync(join(stack.data, 'demo.yaml'), 'utf8')}
connectorAdmin:
  alerts:
    settings: { thresholds: { freeDiskSpaceMb: 999999999 } }
    webhook: { url: 'http://127.0.0.1:${(hook.address() as AddressInfo).port}/', secret: { file: webhook-secret } }
  traces:
    traffic: [{ subaccount: demo, trafficTrace: true }]
`,
  )
  await start()
}, 120_000)
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
  hook.close()
})

function monitor(path: string): Promise<{ readonly status: number; readonly body: string }> {
  const auth = `Administrator:${readFileSync(join(stack.data, 'connector', 'initial-password'), 'utf8').trim()}`
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: stack.port('connectorAdmin'), path, auth, rejectUnauthorized: false, agent: false }, (answer) => {
      let body = ''
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
      .on('error', reject)
      .end()
  })
}
const usedCalls = async (): Promise<number> => {
  const { subaccounts } = JSON.parse((await monitor('/api/monitoring/usage')).body) as {
    readonly subaccounts: readonly { readonly usageStatistics: readonly { readonly virtualHost: string; readonly calls: number }[] }[]
  }
  return subaccounts[0]?.usageStatistics.find(({ virtualHost }) => virtualHost === 's4.demo')?.calls ?? -1
}
const call = async (): Promise<void> => {
  expect((await stack.run(['curl', 'S4_DEMO', `${partners}?$top=1`, '--user', 'jane@acme.test'])).code).toBe(0)
}

describe('monitoring of a running connector', () => {
  it('shows usage that survives a restart', async () => {
    await call()
    const before = await usedCalls()
    expect(before).toBeGreaterThan(0)
    await stack.run(['stop'])
    await start()
    expect(await usedCalls()).toBe(before)
  })

  it('has alerts, and tells the webhook once', async () => {
    await expect.poll(() => told.length, { timeout: 10_000 }).toBeGreaterThan(0)
    const { alerts } = JSON.parse((await monitor('/api/monitoring/alerts')).body) as {
      readonly alerts: readonly { readonly type: string }[]
    }
    expect(alerts).toContainEqual(expect.objectContaining({ type: 'Disk', status: 'Warning', origin: 'Master' }))
    // The connector was restarted meanwhile.
    expect(told.filter(({ type }) => type === 'Disk')).toHaveLength(1)
  })

  it('traces the contents of the chosen subaccount, and not in its own log', async () => {
    await call()
    const log = (name: string): string => readFileSync(join(stack.data, 'connector', 'log', name), 'utf8')
    await expect.poll(() => log('traffic_trace_demo.trc'), { timeout: 5_000 }).toContain('|GET /sap/opu/oda|')
    expect(log('scc_core.trc')).toMatch(/^\S+ \S+ \+0000#INFO #cloud-connector /m)
    expect(log('scc_core.trc')).not.toContain('Authorization')
  })

  it('is there for Prometheus and the hardware monitor too', async () => {
    expect((await monitor('/metrics')).body).toMatch(/^sallyport_connector_tunnel_up\{subaccount="demo",location_id=""\} 1$/m)
    expect(JSON.parse((await monitor('/api/monitoring/hardware')).body)).toMatchObject({ cpu: { stepMs: 15_000 }, version: 1 })
    for (const path of ['memory', 'disk', 'cpu']) expect((await monitor(`/api/monitoring/${path}`)).status).toBe(200)
  })
})
