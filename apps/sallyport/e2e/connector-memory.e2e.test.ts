import { once } from 'node:events'
import { request } from 'node:https'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

let installation: Installation
beforeAll(async () => {
  installation = await createInstallation()
})
afterAll(() => installation[Symbol.asyncDispose]())

const password = { old: 'manage', new: 'changed' }

function call(method: string, path: string, body: unknown, secret: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: installation.port('connectorAdmin'),
      method,
      path,
      auth: `Administrator:${secret}`,
      agent: false,
    }
    request({ ...options, rejectUnauthorized: false, headers: { 'content-type': 'application/json' } }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
    })
      .on('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body))
  })
}

it('CC-043 the next start has the heap that was set', async () => {
  const start = () =>
    installation.start(['serve', 'connector', '--compat-default-password', '--port-offset', String(installation.portOffset)])
  const first = start()
  await installation.ready(1)
  const cfg = '/api/v1/configuration/connector'
  await call('PUT', `${cfg}/authentication/basic`, { oldPassword: password.old, newPassword: password.new }, password.old)
  await call('POST', `${cfg}/haRole`, 'master', password.new)
  expect((await call('PUT', '/api/private/v1/runtime', { initialHeap: '200M', maxHeap: '300M' }, password.new)).status).toBe(204)
  const ended = once(first, 'exit')
  first.kill('SIGTERM')
  await ended
  start()
  await installation.ready(1)
  const { heapLimitBytes, ...settings } = JSON.parse((await call('GET', '/api/private/v1/runtime', undefined, password.new)).body)
  expect(settings).toEqual({ initialHeap: '200M', maxHeap: '300M' })
  // The young generation, of some 200 MB, comes on top of what was set; without it there are gigabytes.
  expect(heapLimitBytes / 1024 ** 2).toBeGreaterThanOrEqual(300)
  expect(heapLimitBytes / 1024 ** 2).toBeLessThan(600)
}, 60_000)
