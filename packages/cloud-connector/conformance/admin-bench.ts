import { request as httpsRequest } from 'node:https'
import { type Clock, createSecret } from '@sallyport/core'
import { createTestCa, type TestIdentity } from '@sallyport/test-fixtures'
import { type CloudConnector, createAdminListener, type MachineProbe, type MonitoringSources } from '../src/index.ts'

import { createHardwareHistory } from '../src/monitoring/hardware-history.ts'

/** What the listener has answered. */
export interface AdminAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly json: () => any
}

/** An administration listener that admits one password, and a client that trusts it. */
export interface AdminBench extends AsyncDisposable {
  readonly certificate: string
  get(path: string, auth?: string): Promise<AdminAnswer>
}

const ca = createTestCa()
const watcher = `Basic ${Buffer.from('watch:secret').toString('base64')}`

/** A machine that is always the same. */
export const steadyMachine: MachineProbe = {
  memory: async () => ({
    physicalKb: { total: 1000, own: 100, others: 300, free: 600 },
    virtualKb: { total: 2000, own: 100, others: 300, free: 1600 },
    heapKb: { total: 500, used: 200, free: 300 },
  }),
  disk: async () => ({ total: 4000, own: 10, others: 1990, free: 2000 }),
  cpu: () => ({ total: 12.5, own: 2.5 }),
}

/** Starts the listener. */
export async function startAdminBench(options: {
  readonly connector: CloudConnector
  readonly clock: Clock
  readonly own?: TestIdentity
  readonly monitoring?: Partial<MonitoringSources>
  readonly isMaster?: () => boolean
}): Promise<AdminBench> {
  const own = options.own ?? ca.issue({ subject: '/CN=connector' })
  const listener = createAdminListener({
    monitoring: {
      connector: options.connector,
      machine: steadyMachine,
      certificateValidityDays: () => 30,
      hardware: () => createHardwareHistory().status(options.clock.now()),
      alerts: () => [],
      now: options.clock.now,
      ...options.monitoring,
    },
    ...(options.isMaster === undefined ? {} : { isMaster: options.isMaster }),
    tls: { certificate: own.certificate, key: createSecret(own.key) },
    admit: async (request, reply) =>
      request.headers.authorization === watcher ? undefined : reply.code(401).send({ type: 'UNAUTHORIZED', message: 'unknown' }),
  })
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 })
  return {
    certificate: own.certificate,
    get: (path, auth) =>
      new Promise((resolve, reject) => {
        const trust = options.own === undefined ? { ca: ca.certificate } : { rejectUnauthorized: false }
        const request = httpsRequest(
          { host: '127.0.0.1', port, path, ...trust, agent: false, ...(auth === undefined ? {} : { auth }) },
          (response) => {
            let body = ''
            response.on('data', (chunk: Buffer) => (body += chunk.toString()))
            response.on('end', () =>
              resolve({
                status: response.statusCode ?? 0,
                type: response.headers['content-type'] ?? '',
                body,
                json: () => JSON.parse(body),
              }),
            )
          },
        )
        request.on('error', reject).end()
      }),
    [Symbol.asyncDispose]: () => listener.close(),
  }
}
