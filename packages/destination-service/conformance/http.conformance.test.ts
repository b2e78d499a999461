import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { request as httpsRequest } from 'node:https'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDestinationService, createOutgoing } from '../src/index.ts'
import { type RunningService, startService } from './running-service.ts'

let running: RunningService
beforeEach(async () => {
  running = await startService()
})
afterEach(() => running.close())

const collection = '/v1/subaccountDestinations'
const root = '/destination-configuration'

/** Sends bytes as they are and returns all that comes back until the service closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = running.service.address ?? { port: 0 }
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.end(text))
    socket
      .setEncoding('utf8')
      .on('data', (chunk: string) => (answer += chunk))
      .on('close', () => resolve(answer))
      .on('error', reject)
  })
}

describe('bounds', () => {
  it('DS-015 refuses a URI of more than 4,000 characters and takes one of 4,000', async () => {
    const path = (length: number): string => {
      const start = `${root}${collection}?$filter=Name+in+(%27`
      return `${start}${'x'.repeat(length - start.length - 4)}%27)`
    }
    const get = (length: number) => fetch(running.url + path(length), { headers: { authorization: `Bearer ${running.token()}` } })
    expect((await get(4_000)).status).toBe(200)
    const refused = await get(4_001)
    expect([refused.status, await refused.json()]).toEqual([414, { ErrorMessage: 'The URI must not be longer than 4000 characters' }])
    expect((await fetch(`${running.url}/${'x'.repeat(5_000)}`)).status).toBe(414)
  })

  it('takes a body of 1 MiB and refuses a larger one', async () => {
    const body = (length: number): string => {
      const frame = '{"Name":"d","Type":"HTTP"}'
      return frame.padEnd(length, ' ')
    }
    expect((await running.call('POST', collection, { body: body(1_048_576) })).status).toBe(201)
    expect(await running.call('PUT', collection, { body: body(1_048_577) })).toMatchObject({
      status: 413,
      json: { ErrorMessage: 'The request body must not be larger than 1048576 bytes' },
    })
  })

  it('takes long tokens and refuses headers that are larger than any', async () => {
    await running.call('POST', collection, { body: { Name: 'd', Type: 'HTTP' } })
    const headers = { 'x-user-token': 'x'.repeat(20_000) }
    expect((await running.call('GET', '/v1/destinations/d', { headers })).status).toBe(200)
    const answer = await raw(`GET /health HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
    expect(answer).toContain('{"ErrorMessage":"The request headers must not be larger than 65536 bytes"}')
  })
})

describe('requests that are refused', () => {
  it('DS-033 CL-111 always get a status of their own and an ErrorMessage', async () => {
    await running.call('POST', collection, { body: { Name: 'd', Type: 'HTTP' } })
    const rows: [number, string, string, Record<string, unknown>][] = [
      [400, 'POST', collection, { body: '{' }],
      [400, 'GET', `${collection}?$page=0`, {}],
      [400, 'GET', '/v1/destinations/%zz', {}],
      [400, 'GET', '/v1/destinations/%ff', {}],
      [401, 'GET', collection, { token: 'x' }],
      [403, 'GET', collection, { token: running.token({ client: 'other' }) }],
      [404, 'GET', `${collection}/unknown`, {}],
      [404, 'GET', '/v1/unknown', {}],
      [404, 'PATCH', collection, { body: '{}' }],
      [409, 'POST', collection, { body: { Name: 'd', Type: 'HTTP' } }],
      [412, 'GET', `${collection}/d`, { headers: { 'if-match': 'x' } }],
      [415, 'POST', collection, { body: 'Name=d', headers: { 'content-type': 'text/plain' } }],
      [415, 'PUT', collection, { body: '{}', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ]
    for (const [status, method, path, options] of rows) {
      const answer = await running.call(method, path, options)
      expect([method, path, answer.status]).toEqual([method, path, status])
      expect(answer.json).toEqual({ ErrorMessage: expect.stringMatching(/\S/) as string })
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    }
  })

  it.each([
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GARBAGE\r\n\r\n', 400],
    ['GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n', 400],
    ['POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['GET /health HTTP/1.1\r\nHost: x\r\n Folded: x\r\n\r\n', 400],
  ])('are told from HTTP: %j', async (text, status) => {
    expect(await raw(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  })

  it.each(['authorization', 'x-user-token', 'x-tenant', 'x-fragment-name', 'x-client-assertion'])('repeat the header %s', async (name) => {
    const { port } = new URL(running.url)
    const headers = name === 'authorization' ? [] : ['authorization', `Bearer ${running.token()}`]
    const value = name === 'authorization' ? `Bearer ${running.token()}` : 'a'
    const status = await new Promise((resolve, reject) => {
      httpRequest({ port, path: `${root}/v1/destinations/d`, headers: ['host', 'x', ...headers, name, value, name, value] }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
        .on('error', reject)
        .end()
    })
    expect(status).toBe(400)
  })
})

describe('every answer', () => {
  it('carries the caller’s correlation id, or a new one, and may not be stored on the way', async () => {
    const given = await running.call('GET', collection, { headers: { 'x-request-id': 'abc-123' } })
    expect([given.headers.get('x-request-id'), given.headers.get('x-vcap-request-id')]).toEqual(['abc-123', 'abc-123'])
    const other = await running.call('GET', '/v1/destinations/x', { headers: { 'x-vcap-request-id': 'v-1' } })
    expect(other.headers.get('x-vcap-request-id')).toBe('v-1')
    for (const strange of ['a b', 'x'.repeat(200), '{"a":1}']) {
      const answer = await running.call('GET', collection, { token: 'x', headers: { 'x-request-id': strange } })
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    }
    expect(given.headers.get('cache-control')).toBe('no-store')
  })
})

describe('health', () => {
  it('is UP without a token while the store answers, and DOWN when it does not', async () => {
    const health = async (): Promise<unknown> => {
      const answer = await fetch(`${running.url}/health`)
      return [answer.status, await answer.json()]
    }
    expect(await health()).toEqual([200, { status: 'UP' }])
    await running.close()
    running = await startService({
      wrapRepository: (repository) => ({ ...repository, check: () => Promise.reject(new Error('disk on fire')) }),
    })
    expect(await health()).toEqual([503, { status: 'DOWN' }])
  })
})

describe('a store that fails', () => {
  it('gives 500 with a neutral text, and its reason to the log only', async () => {
    await running.close()
    const fail = () => Promise.reject(new Error('disk on fire'))
    running = await startService({
      wrapRepository: (repository) => ({ ...repository, find: fail, findFirst: fail, index: fail, create: fail, read: fail }),
    })
    for (const [method, path] of [
      ['GET', collection],
      ['GET', '/v1/destinations/d'],
      ['POST', collection],
    ] as const) {
      const body = method === 'POST' ? { body: { Name: 'd', Type: 'HTTP' } } : {}
      expect(await running.call(method, path, body)).toMatchObject({
        status: 500,
        json: { ErrorMessage: 'The request could not be completed because of an internal error' },
      })
    }
    expect(running.logged.join()).toContain('disk on fire')
  })

  it('in the middle of a list ends the answer without completing it', async () => {
    const destinations = Array.from({ length: 40 }, (_, index) => ({ Name: `d${index}`, Type: 'HTTP', Long: 'x'.repeat(10_000) }))
    await running.close()
    let reads = 0
    running = await startService({
      wrapRepository: (repository) => ({
        ...repository,
        read: (...asked) => (reads++ === 0 ? repository.read(...asked) : Promise.reject(new Error('disk on fire'))),
      }),
    })
    await running.call('POST', collection, { body: destinations })
    await expect(running.call('GET', collection)).rejects.toThrow('terminated')
  })
})

describe('the listener', () => {
  const deps = {
    repository: {} as never,
    keys: {} as never,
    landscape: 'test.example.com',
    verifier: {} as never,
    instances: { find: () => undefined },
    outgoing: createOutgoing({ privateAddresses: 'refuse' }),
  }

  it('speaks TLS', async () => {
    const ca = createTestCa()
    const { certificate, key } = ca.issue({ subject: '/CN=localhost' })
    const service = createDestinationService({ ...deps, clock: running.clock })
    const { port } = await service.listen({ host: '127.0.0.1', port: 0, tls: { cert: certificate, key } })
    const status = await new Promise((resolve, reject) => {
      httpsRequest({ port, host: '127.0.0.1', path: `${root}${collection}`, ca: ca.certificate }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
        .on('error', reject)
        .end()
    })
    expect(status).toBe(401)
    await service.close()
  })

  it('does not open on other than loopback addresses without TLS, unless told that something else does it', async () => {
    const service = createDestinationService({ ...deps, clock: running.clock })
    await expect(service.listen({ host: '0.0.0.0', port: 0 })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    await expect(service.listen({ host: 'localhost', port: 0 })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    await service.close()
    await service.close()
    expect(service.address).toBeUndefined()
  })

  it('says that the port is in use', async () => {
    const service = createDestinationService({ ...deps, clock: running.clock })
    const port = running.service.address?.port ?? 0
    await expect(service.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    await service.close()
  })

  describe('that closes', () => {
    let entered: PromiseWithResolvers<void>
    let release: PromiseWithResolvers<void>

    beforeEach(async () => {
      entered = Promise.withResolvers()
      release = Promise.withResolvers()
      await running.close()
      running = await startService({
        wrapRepository: (repository) => ({
          ...repository,
          async index(...asked) {
            entered.resolve()
            await release.promise
            return repository.index(...asked)
          },
        }),
      })
    })

    it('ends requests in flight when the grace is over', async () => {
      const listed = running.call('GET', collection)
      await entered.promise
      const closed = running.service.close()
      running.clock.advance(9_999)
      running.clock.advance(1)
      await expect(listed).rejects.toThrow('fetch failed')
      await closed
    })

    it('lets requests in flight finish before', async () => {
      const listed = running.call('GET', collection)
      await entered.promise
      const closed = running.service.close()
      release.resolve()
      expect(await listed).toMatchObject({ status: 200, json: [] })
      await closed
      await expect(running.call('GET', collection)).rejects.toThrow('fetch failed')
    })
  })
})
