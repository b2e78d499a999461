import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { alertingSettingsSchema, emailSettingsSchema, webhookSettingsSchema } from '@sallyport/admin-api'
import { silentLogger } from '@sallyport/core'
import { createManualClock, createTestCa, type ManualClock, type TestIdentity } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type AlertSettings,
  createMaterialMemory,
  type HardwareMonitor,
  type HealthWatch,
  type MachineProbe,
  type MaterialStore,
  ownedCertificateOf,
  standardProbes,
  startHardwareMonitor,
  startHealthWatch,
} from '../src/index.ts'
import { alertAttempts, healthCheckMs } from '../src/limits.ts'
import { type AdminBench, startAdminBench, steadyMachine } from './admin-bench.ts'
import { type ConnectorBench, startConnectorBench, until } from './connector-bench.ts'

interface Shown {
  readonly timestamp: number
  readonly status: string
  readonly type: string
  readonly origin: string
  readonly message: string
  readonly entity: string
}
const dayMs = 86_400_000
const secret = 'a secret of enough characters'
const ca = createTestCa()

let clock: ManualClock
let bench: ConnectorBench
let material: MaterialStore
let own: TestIdentity
/** What the machine says; tests change it. */
let machine: { freeMb: number; load: number }
let settings: AlertSettings
const cleanups: (() => PromiseLike<unknown>)[] = []
beforeEach(async () => {
  clock = createManualClock(Date.now())
  material = createMaterialMemory()
  own = ca.issue({ subject: '/CN=connector', days: 400 })
  machine = { freeMb: 2000, load: 10 }
  settings = {
    alerting: alertingSettingsSchema.parse({ thresholds: { certificateValidityDays: 5 } }),
    email: emailSettingsSchema.parse({}),
    webhook: webhookSettingsSchema.parse({}),
  }
  bench = await startConnectorBench({ clock, connector: {} })
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  await bench[Symbol.asyncDispose]()
})

interface Watched {
  readonly health: HealthWatch
  readonly hardware: HardwareMonitor
  readonly admin: AdminBench
  alerts(): Promise<readonly Shown[]>
}
async function watch(): Promise<Watched> {
  const probe: MachineProbe = {
    ...steadyMachine,
    disk: async () => ({ total: 4000, own: 10, others: 3990 - machine.freeMb, free: machine.freeMb }),
    cpu: () => ({ total: machine.load, own: 1 }),
  }
  const hardware = await startHardwareMonitor({ machine: probe, material, clock, log: silentLogger })
  const health = await startHealthWatch({
    probes: standardProbes({
      connector: bench.connector,
      machine: probe,
      hardware,
      uiCertificate: () => ownedCertificateOf('UI', own.certificate),
    }),
    settings: () => settings,
    material,
    clock,
  })
  await health.check()
  const admin = await startAdminBench({
    connector: bench.connector,
    clock,
    own,
    monitoring: {
      alerts: () => health.alerts,
      hardware: () => hardware.status,
      certificateValidityDays: () => settings.alerting.thresholds.certificateValidityDays,
    },
  })
  cleanups.push(
    () => hardware.close(),
    () => health.close(),
    () => admin[Symbol.asyncDispose](),
  )
  return {
    health,
    hardware,
    admin,
    alerts: async () => (await admin.get('/api/monitoring/alerts', 'watch:secret')).json().alerts,
  }
}
/** Lets time pass in the steps of the hardware monitor, each with its look. */
async function pass(seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 15) {
    clock.advance(15_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('alerts', () => {
  it('CC-154 CPU, disk and certificate alerts begin at their thresholds, and end with an entry that says so', async () => {
    settings = {
      ...settings,
      alerting: alertingSettingsSchema.parse({
        thresholds: { cpuLoad: 80, cpuLoadViolationToleranceSec: 60, freeDiskSpaceMb: 500, certificateValidityDays: 5 },
      }),
    }
    const { alerts, health } = await watch()
    machine = { freeMb: 500, load: 80 }
    await pass(120)
    await health.check()
    expect(await alerts()).toEqual([])
    machine = { freeMb: 499, load: 80.5 }
    await pass(60)
    await health.check()
    expect((await alerts()).map(({ type }) => type)).toEqual(['Disk'])
    await pass(15)
    own = ca.issue({ subject: '/CN=connector', days: 4 })
    await health.check()
    expect(await alerts()).toEqual([
      {
        timestamp: clock.now(),
        status: 'Warning',
        type: 'UICertificate',
        origin: 'Master',
        entity: '',
        message: expect.stringMatching(/^UI certificate \('CN=connector' issued by '.*'\) expires \d{4}-\d\d-\d\d$/),
      },
      expect.objectContaining({
        type: 'CPU',
        message:
          'CPU load exceeded 80 percent for more than 60 seconds (Current usage all processes: 80.5%, Cloud Connector: 1%), check the hardware monitor for details',
      }),
      expect.objectContaining({
        type: 'Disk',
        message: 'Free disk space dropped below configured threshold — 499 MB are free (Currently used by Cloud Connector: 10 MB)',
      }),
    ])
    machine = { freeMb: 600, load: 20 }
    own = ca.issue({ subject: '/CN=connector', days: 400 })
    await pass(15)
    await health.check()
    expect((await alerts()).map(({ status, type }) => `${status} ${type}`)).toEqual(['Info UICertificate', 'Info CPU', 'Info Disk'])
  })

  it('CC-155 are not repeated while the condition lasts, except those of certificates, every day', async () => {
    const told = await webhook()
    machine = { ...machine, freeMb: 1 }
    own = ca.issue({ subject: '/CN=connector', days: 4 })
    const { alerts, health } = await watch()
    const first = await alerts()
    for (let hour = 0; hour < 23; hour++) {
      clock.advance(3_600_000)
      await health.check()
    }
    expect(await alerts()).toEqual(first)
    clock.advance(3_600_000)
    await health.check()
    await health.sent()
    expect((await alerts()).map(({ timestamp, type }) => [type, timestamp])).toEqual([
      ['UICertificate', clock.now()],
      ['Disk', clock.now() - dayMs],
    ])
    expect(told.map(({ body }) => body.type)).toEqual(['Disk', 'UICertificate', 'UICertificate'])
  })

  it('CC-155 are not repeated by a restart', async () => {
    const told = await webhook()
    machine = { ...machine, freeMb: 1 }
    const first = await watch()
    await first.health.sent()
    await first.health.close()
    clock.advance(5000)
    const second = await watch()
    await second.health.sent()
    expect(await second.alerts()).toMatchObject([{ type: 'Disk', timestamp: clock.now() - 5000 }])
    expect(told).toHaveLength(1)
  })

  it('CC-156 that are deleted while they last stand there again after the next check, and are not told again', async () => {
    const told = await webhook()
    machine = { ...machine, freeMb: 1 }
    const { alerts, health } = await watch()
    await health.delete(health.alerts[0]?.id ?? 0)
    expect(await alerts()).toEqual([])
    // Nobody asks for this check: it comes by itself.
    clock.advance(healthCheckMs)
    await health.sent()
    expect(await alerts()).toMatchObject([{ type: 'Disk', status: 'Warning' }])
    await health.deleteAll()
    machine = { ...machine, freeMb: 2000 }
    await health.check()
    await health.sent()
    expect(await alerts()).toMatchObject([{ type: 'Disk', status: 'Info' }])
    expect(told.map(({ body }) => body.status)).toEqual(['Warning', 'Info'])
  })

  it('speak of a tunnel that is lost, not of one that is closed on purpose, and of its return', async () => {
    const { alerts, health } = await watch()
    await bench.cloudSide.close({ graceMs: 0 })
    await until(() => bench.connector.status.links[0]?.tunnel.kind !== 'ready')
    // The first attempt after that fails at once.
    await until(() => {
      clock.advance(100)
      const tunnel = bench.connector.status.links[0]?.tunnel
      return tunnel?.kind === 'failed' || (tunnel?.kind === 'connecting' && tunnel.lastError !== undefined)
    })
    await health.check()
    expect(await alerts()).toMatchObject([
      { type: 'Tunnel', entity: 'demo@cloud', message: expect.stringContaining('demo@cloud is not open: ') },
    ])
    await bench.connector.stop({ graceMs: 0 })
    await health.check()
    expect(await alerts()).toMatchObject([{ type: 'Tunnel', status: 'Info' }])
  })

  it('speak of a service channel whose port somebody else has, until it is free', async () => {
    const other = createServer()
    await once(other.listen(0, '127.0.0.1'), 'listening')
    const { port } = other.address() as AddressInfo
    cleanups.push(async () => void other.close())
    await bench[Symbol.asyncDispose]()
    bench = await startConnectorBench({
      clock,
      serveChannel: (incoming) => incoming.refuse(),
      connector: { channels: [{ type: 'K8S', k8sCluster: 'cp.example.org:443/orders.db', port }] },
    })
    const kind = (): string | undefined => bench.connector.status.links[0]?.channels[0]?.state.kind
    await until(() => kind() === 'failed')
    const { alerts, health } = await watch()
    expect(await alerts()).toMatchObject([
      {
        type: 'ServiceChannel',
        status: 'Warning',
        entity: 'demo@cloud',
        message: expect.stringContaining(`local port ${port} is not open: `),
      },
    ])
    other.close()
    await once(other, 'close')
    await until(() => {
      clock.advance(1000)
      return kind() === 'open'
    })
    await health.check()
    expect(await alerts()).toMatchObject([{ type: 'ServiceChannel', status: 'Info' }])
  })

  it('keep what was wrong when nobody can look', async () => {
    machine = { ...machine, freeMb: 1 }
    const { alerts, health } = await watch()
    Object.defineProperty(machine, 'freeMb', {
      get: () => {
        throw Object.assign(new Error('gone'), { code: 'EIO' })
      },
    })
    await health.check()
    expect(await alerts()).toMatchObject([{ type: 'Disk', status: 'Warning' }])
  })
})

describe('certificates', () => {
  it('CC-164 are sorted by the threshold of alerts', async () => {
    const { admin } = await watch()
    const lists = async (): Promise<readonly number[]> => {
      const all = (await admin.get('/api/monitoring/certificates', 'watch:secret')).json()
      const each = await Promise.all(
        ['expired', 'expiring', 'ok'].map(async (list) => (await admin.get(`/api/monitoring/certificates/${list}`, 'watch:secret')).json()),
      )
      expect([all.expired, all.expiring, all.ok]).toEqual(each)
      return each.map((list: readonly { readonly type: string }[]) => list.filter(({ type }) => type === 'UI').length)
    }
    const { notAfterMs } = ownedCertificateOf('UI', own.certificate)
    expect(await lists()).toEqual([0, 0, 1])
    clock.set(notAfterMs - 5 * dayMs)
    expect(await lists()).toEqual([0, 0, 1])
    clock.advance(1)
    expect(await lists()).toEqual([0, 1, 0])
    clock.set(notAfterMs)
    expect(await lists()).toEqual([1, 0, 0])
    const { expired } = (await admin.get('/api/monitoring/certificates', 'watch:secret')).json()
    expect(expired).toContainEqual({
      type: 'UI',
      validTo: notAfterMs,
      subjectDN: 'CN=connector',
      issuerDN: expect.any(String),
      serialNumber: expect.stringMatching(/^[0-9a-f]{2}(:[0-9a-f]{2})*$/),
    })
    expect(expired).toContainEqual({ type: 'subaccount', validTo: expect.any(Number), subaccountName: 'demo', subaccountRegion: 'cloud' })
  })
})

describe('the hardware monitor', () => {
  it('CC-165 has a value every 15 s, for disks every 60 s, keeps them through a restart, and shows where it did not run', async () => {
    const slotMs = 60_000 * Math.ceil(Date.now() / 60_000)
    clock.set(slotMs)
    const first = await watch()
    machine = { ...machine, load: 20 }
    await pass(45)
    await first.hardware.close()
    await first.health.close()
    // Down for a minute and a half.
    clock.set(slotMs + 135_000)
    machine = { ...machine, load: 30 }
    const { admin } = await watch()
    await pass(30)
    const { cpu, diskUsedMb } = (await admin.get('/api/monitoring/hardware', 'watch:secret')).json()
    expect([cpu.stepMs, cpu.values.length, diskUsedMb.stepMs, diskUsedMb.values.length]).toEqual([15_000, 5760, 60_000, 1440])
    expect(cpu.fromMs + 5759 * 15_000).toBe(slotMs + 165_000)
    expect(cpu.values.slice(-13)).toEqual([null, 10, 20, 20, 20, null, null, null, null, null, 30, 30, 30])
    expect(diskUsedMb.values.slice(-4)).toEqual([null, 2000, null, 2000])
  })
})

describe('a standby instance', () => {
  it('shows disk, load and alerts, and refuses what only the master knows', async () => {
    const admin = await startAdminBench({ connector: bench.connector, clock, isMaster: () => false })
    cleanups.push(() => admin[Symbol.asyncDispose]())
    for (const path of ['disk', 'cpu', 'alerts', 'hardware'])
      expect((await admin.get(`/api/monitoring/${path}`, 'watch:secret')).status).toBe(200)
    for (const path of ['subaccounts', 'usage', 'memory', 'certificates'])
      expect((await admin.get(`/api/monitoring/${path}`, 'watch:secret')).status).toBe(400)
  })
})

describe('the webhook', () => {
  it('signs what it sends, and tries again, in order, a few times', async () => {
    const answers = [500, 200, 302, 404, 404, 404]
    const told = await webhook(() => answers.shift() ?? 200)
    machine = { ...machine, freeMb: 1 }
    own = ca.issue({ subject: '/CN=connector', days: 4 })
    const { health } = await watch()
    await until(() => {
      clock.advance(1000)
      return told.length === 2 + alertAttempts
    })
    await health.sent()
    expect(told.map(({ body }) => body.type)).toEqual(['Disk', 'Disk', ...Array.from({ length: alertAttempts }, () => 'UICertificate')])
    for (const { signature, text } of told) {
      const [, atMs, hmac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? []
      expect(createHmac('sha256', secret).update(`${atMs}.${text}`).digest('hex')).toBe(hmac)
    }
  })

  it('is not told what was there before it was switched on, nor what its category excludes', async () => {
    machine = { ...machine, freeMb: 1 }
    const { health } = await watch()
    const told = await webhook()
    await health.check()
    settings = {
      ...settings,
      alerting: alertingSettingsSchema.parse({ thresholds: { certificateValidityDays: 5 }, notification: { certificates: false } }),
    }
    own = ca.issue({ subject: '/CN=connector', days: 4 })
    await health.check()
    await health.sent()
    expect(health.alerts).toHaveLength(2)
    expect(told).toEqual([])
  })
})

/** Switches the webhook on and collects what it is told. */
async function webhook(
  answer: () => number = () => 200,
): Promise<{ readonly text: string; readonly body: any; readonly signature: string }[]> {
  const told: { text: string; body: any; signature: string }[] = []
  const server: Server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      told.push({ text, body: JSON.parse(text), signature: String(request.headers['x-sallyport-signature']) })
      response.writeHead(answer(), { location: '/elsewhere' }).end()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  cleanups.push(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`
  settings = { ...settings, webhook: webhookSettingsSchema.parse({ enabled: true, url, secret }) }
  return told
}
