import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pool } from 'undici'
import { type HttpBackend, startHttpBackend } from '../conformance/backends.ts'
import { type Rig, startRig } from '../conformance/rig.ts'

describe('undici as an application behind the proxy', () => {
  let rig: Rig
  let backend: HttpBackend
  let pool: Pool
  let headers: Record<string, string>

  beforeAll(async () => {
    backend = await startHttpBackend((incoming, response, seen) => {
      const digest = createHash('sha256').update(seen.body).digest('hex')
      response.writeHead(incoming.url === '/missing' ? 404 : 200, { 'x-digest': digest })
      response.end(seen.body)
    })
    rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:8000': backend.port } })
    pool = new Pool(`http://127.0.0.1:${rig.http}`, { connections: 4 })
    headers = { host: 'erp.demo:8000', 'proxy-authorization': rig.bearer() }
  })
  afterAll(async () => {
    await pool.close()
    await rig[Symbol.asyncDispose]()
    await backend[Symbol.asyncDispose]()
  })

  it('CP-083 serves many requests over the connections that the pool keeps', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, at) => {
        const { statusCode, body } = await pool.request({ path: `http://erp.demo:8000/${at}`, headers, method: 'POST', body: `body ${at}` })
        return [statusCode, await body.text()]
      }),
    )
    expect(answers).toEqual(Array.from({ length: 60 }, (_, at) => [200, `body ${at}`]))
    expect(backend.connections).toBeLessThanOrEqual(4)
  })

  it('streams an upload of unknown length and its echo', async () => {
    const pieces = Array.from({ length: 64 }, (_, at) => Buffer.alloc(50_000, String.fromCharCode(65 + (at % 26))))
    const expected = createHash('sha256').update(Buffer.concat(pieces)).digest('hex')
    const answer = await pool.request({ path: 'http://erp.demo:8000/echo', headers, method: 'PUT', body: Readable.from(pieces) })
    const echoed = createHash('sha256')
    for await (const chunk of answer.body) echoed.update(chunk as Buffer)
    expect([answer.headers['x-digest'], echoed.digest('hex')]).toEqual([expected, expected])
  })

  it('gets the errors of the backend as they are, and those of the proxy marked', async () => {
    const missing = await pool.request({ path: 'http://erp.demo:8000/missing', headers, method: 'GET' })
    expect([missing.statusCode, missing.headers['x-connectivity-error-origin']]).toEqual([404, undefined])
    await missing.body.dump()
    const refused = await pool.request({ path: 'http://erp.demo:8000/', headers: { host: 'erp.demo:8000' }, method: 'GET' })
    expect([refused.statusCode, refused.headers['x-connectivity-error-origin']]).toEqual([407, 'proxy'])
    await refused.body.dump()
  })
})
