import { Readable } from 'node:stream'
import {
  type ConnectContext,
  ConnectivityError,
  createSecret,
  type Credentials,
  type HttpDestination,
  parseDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createHttpBackend, createManualClock, createSocketNetwork, type HttpAnswer, type SeenRequest } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createHttpAdapter, type HttpAdapterOptions, type HttpClient } from '../src/index.ts'

const to = (url: string): HttpDestination =>
  parseDestination({ Name: 'WEB', Type: 'HTTP', URL: url, ProxyType: 'Internet' }) as HttpDestination
const context = (changes: Partial<ConnectContext> = {}): ConnectContext => ({
  dial: createDirectDial(),
  credentials: { kind: 'none' },
  signal: AbortSignal.timeout(10_000),
  log: silentLogger,
  ...changes,
})
const bearer = (value: string, expiresAtMs?: number): Credentials => ({
  kind: 'header',
  name: 'authorization',
  value: createSecret(`Bearer ${value}`),
  ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
})
const principal = (token: string): ConnectContext['principal'] & object => ({ kind: 'business', token: createSecret(token) })

async function withBackend(
  answer: (request: SeenRequest) => HttpAnswer,
  work: (client: HttpClient, requests: readonly SeenRequest[]) => Promise<void>,
  {
    options = {},
    context: changes = {},
  }: { readonly options?: Partial<HttpAdapterOptions>; readonly context?: Partial<ConnectContext> } = {},
): Promise<void> {
  await using backend = await createHttpBackend({ answer })
  await using client = await createHttpAdapter({ clock: systemClock, ...options }).connect(to(backend.url), context(changes))
  await work(client, backend.requests)
}

/** A service as SAP Gateway is one: it hands a token out with a session and writes nothing without both. */
function gateway(): { readonly answer: (request: SeenRequest) => HttpAnswer; endSession(): void } {
  let session = 1
  return {
    endSession: () => void (session += 1),
    answer({ method, headers, target }) {
      const token = `t${session}`
      if (method === 'HEAD') {
        if (headers['x-csrf-token'] !== 'Fetch' || !target.endsWith('/?$top=1')) return { status: 200 }
        return {
          headers: { 'x-csrf-token': token, 'set-cookie': [`SID=${token}; path=/; HttpOnly`, 'sap-usercontext=sap-client=100; path=/'] },
        }
      }
      if (method === 'GET') return { body: 'read' }
      const isOpen = headers['x-csrf-token'] === token && (headers.cookie ?? '').includes(`SID=${token}; sap-usercontext=sap-client=100`)
      return isOpen ? { status: 201 } : { status: 403, headers: { 'x-csrf-token': 'Required' }, body: 'CSRF token validation failed' }
    },
  }
}

describe('a CSRF token', () => {
  it('is fetched before the first writing request, with its session, and used for the next ones', () =>
    withBackend(
      gateway().answer,
      async (client, requests) => {
        expect((await client.request('/orders?$top=1')).status).toBe(200)
        for (let round = 0; round < 3; round++) {
          const written = await client.request('/orders?$top=1', {
            method: 'POST',
            body: '{}',
            headers: { cookie: 'own=1', 'content-type': 'a/b' },
          })
          expect(written.status).toBe(201)
        }
        expect(requests.map(({ method }) => method)).toEqual(['GET', 'HEAD', 'POST', 'POST', 'POST'])
        expect(requests[1]).toMatchObject({ target: '/orders/?$top=1', body: '', headers: { cookie: 'own=1' } })
        expect(requests[1]?.headers).not.toHaveProperty('content-type')
        expect(requests[2]?.headers.cookie).toBe('own=1; SID=t1; sap-usercontext=sap-client=100')
      },
      { options: { csrf: true } },
    ))

  it('that the server no longer takes is fetched anew, and the request goes once more, unless its body is a stream', async () => {
    const server = gateway()
    await withBackend(server.answer, async (client) => {
      const write = async (body: string | Readable): Promise<number> =>
        (await client.request('/orders?$top=1', { method: 'PATCH', body, csrf: true })).status
      expect(await write('{}')).toBe(201)
      server.endSession()
      expect(await write('{}')).toBe(201)
      server.endSession()
      expect(await write(Readable.from([Buffer.from('{}')]))).toBe(403)
      expect(await write(Readable.from([Buffer.from('{}')]))).toBe(201)
    })
  })

  it('is never used for another user, and not asked for without need', () =>
    withBackend(
      gateway().answer,
      async (client, requests) => {
        for (const user of ['jane', 'joe', 'jane']) {
          await client.request('/orders?$top=1', { method: 'POST', body: '{}', principal: principal(user) })
        }
        await client.request('/orders?$top=1', {
          method: 'POST',
          body: '{}',
          headers: { 'x-csrf-token': 'own' },
          principal: principal('jim'),
        })
        await client.request('/orders?$top=1', { method: 'DELETE', csrf: false, principal: principal('jack') })
        expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'HEAD', 'POST', 'POST', 'POST', 'DELETE'])
      },
      {
        options: { csrf: true },
        // The dial of a tunnel carries principals; this one does as if.
        context: {
          credentials: { kind: 'principal' },
          dial: (address, { signal, locationId }) => createDirectDial()(address, { signal, locationId }),
        },
      },
    ))

  it('is never used for another sender, who is named by a header of the request', () =>
    withBackend(
      gateway().answer,
      async (client, requests) => {
        for (const authorization of ['Basic jane', 'Basic joe', 'Basic jane']) {
          await client.request('/orders?$top=1', { method: 'POST', body: '{}', headers: { authorization } })
        }
        expect(requests.map(({ method, headers }) => `${method} ${headers.authorization ?? ''}`)).toEqual([
          'HEAD Basic jane',
          'POST Basic jane',
          'HEAD Basic joe',
          'POST Basic joe',
          'POST Basic jane',
        ])
      },
      { options: { csrf: true } },
    ))

  it('is done without where the server hands none out', () =>
    withBackend(
      () => ({ status: 200 }),
      async (client, requests) => {
        expect((await client.request('/a', { method: 'PUT', body: 'x' })).status).toBe(200)
        expect((await client.request('/a', { method: 'PUT', body: 'x' })).status).toBe(200)
        expect(requests.map(({ method, target }) => `${method} ${target}`)).toEqual(['HEAD /a/', 'HEAD /a', 'PUT /a', 'PUT /a'])
      },
      { options: { csrf: true } },
    ))
})

describe('a token of the destination', () => {
  it('that has become old is fetched anew before the request, once for all that wait', async () => {
    const clock = createManualClock(0)
    let renewals = 0
    const renewCredentials = async (): Promise<Credentials> => bearer(`new-${++renewals}`, 1_000_000)
    await withBackend(
      ({ headers }) => ({ body: headers.authorization ?? '' }),
      async (client) => {
        expect(await (await client.request('/')).text()).toBe('Bearer old')
        clock.advance(60_000)
        const answers = await Promise.all([1, 2, 3].map(async () => (await client.request('/')).text()))
        expect([answers, renewals]).toEqual([['Bearer new-1', 'Bearer new-1', 'Bearer new-1'], 1])
      },
      { options: { clock }, context: { credentials: bearer('old', 60_000), renewCredentials } },
    )
  })

  it('that the target refuses is fetched anew, and the request goes once more and not twice', async () => {
    let renewals = 0
    const renewCredentials = async (): Promise<Credentials> => bearer(`new-${++renewals}`)
    await withBackend(
      ({ headers }) => ({ status: headers.authorization === 'Bearer new-1' ? 200 : 401 }),
      async (client, requests) => {
        expect((await client.request('/', { method: 'POST', body: 'x' })).status).toBe(200)
        expect(requests).toHaveLength(2)
      },
      { context: { credentials: bearer('revoked'), renewCredentials } },
    )
    await withBackend(
      () => ({ status: 401 }),
      async (client, requests) => {
        expect((await client.request('/', { method: 'POST', body: 'x' })).status).toBe(401)
        expect(requests).toHaveLength(2)
      },
      { context: { credentials: bearer('revoked'), renewCredentials } },
    )
  })

  it('is fetched for those who wait on, also when one of them gives up', async () => {
    const clock = createManualClock(0)
    const fetched = Promise.withResolvers<Credentials>()
    const renewCredentials = (signal: AbortSignal): Promise<Credentials> => {
      signal.addEventListener('abort', () => fetched.reject(signal.reason as Error))
      return fetched.promise
    }
    await withBackend(
      ({ headers }) => ({ body: headers.authorization ?? '' }),
      async (client) => {
        clock.advance(60_000)
        const impatient = new AbortController()
        const first = client.request('/', { signal: impatient.signal })
        const second = client.request('/')
        impatient.abort()
        await expect(first).rejects.toMatchObject({ code: 'ABORTED' })
        fetched.resolve(bearer('new', 1_000_000))
        expect(await (await second).text()).toBe('Bearer new')
      },
      { options: { clock }, context: { credentials: bearer('old', 60_000), renewCredentials } },
    )
  })

  it('that cannot be had anew leaves the answer of the target', () =>
    withBackend(
      () => ({ status: 401, body: 'who are you?' }),
      async (client, requests) => {
        expect(await (await client.request('/')).text()).toBe('who are you?')
        expect(requests).toHaveLength(1)
      },
      { context: { credentials: bearer('x'), renewCredentials: () => Promise.reject(new Error('service is down')) } },
    ))

  it('that cannot be had anew is a warning, which quotes no text of others', async () => {
    const clock = createManualClock(0)
    const warnings: unknown[] = []
    const log = { ...silentLogger, warn: (fields: object, message: string) => void warnings.push({ ...fields, message }) }
    const failures = [new ConnectivityError('TOKEN_NOT_ISSUED', 'the token service is down'), new Error('s3cret of the client is wrong')]
    const renewCredentials = (): Promise<Credentials> => Promise.reject(failures.shift())
    const message = 'no new token could be had for the destination'
    await withBackend(
      ({ headers }) => ({ status: headers.authorization === 'Bearer refused' ? 401 : 200 }),
      async (client) => {
        // It expires soon and still holds.
        clock.advance(59_999)
        expect((await client.request('/')).status).toBe(401)
        expect(warnings).toEqual([
          { destination: 'WEB', code: 'TOKEN_NOT_ISSUED', reason: 'the token service is down', message },
          { destination: 'WEB', reason: 'unknown', message },
        ])
      },
      { options: { clock }, context: { credentials: bearer('refused', 60_000), renewCredentials, log } },
    )
  })
})

describe('a connection that breaks before the answer', () => {
  it.each([
    ['GET', undefined, 3],
    ['HEAD', undefined, 3],
    ['POST', 'x', 1],
    ['DELETE', undefined, 1],
  ] as const)('lets %s %s arrive %i times at most', async (method, body, times) => {
    await using network = createSocketNetwork()
    let arrived = 0
    const address = await network.serve(({ stream }) => {
      stream.once('data', () => {
        arrived += 1
        stream.destroy()
      })
    })
    await using client = await createHttpAdapter({ clock: systemClock }).connect(to(`http://127.0.0.1:${address.port}`), context())
    await expect(client.request('/', { method, ...(body === undefined ? {} : { body }) })).rejects.toMatchObject({
      code: 'BACKEND_UNREACHABLE',
    })
    expect(arrived).toBe(times)
  })

  it('is made up for when the next one holds, and the pause ends with the signal', async () => {
    await using network = createSocketNetwork()
    let connections = 0
    const address = await network.serve(({ stream }) => {
      const number = ++connections
      stream.once('data', () =>
        number === 1 ? stream.destroy() : stream.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'),
      )
    })
    const destination = to(`http://127.0.0.1:${address.port}`)
    await using client = await createHttpAdapter({ clock: systemClock }).connect(destination, context())
    expect(await (await client.request('/')).text()).toBe('ok')
    // This clock never moves: the pause would last for ever.
    await using waiting = await createHttpAdapter({ clock: createManualClock(0) }).connect(to('http://127.0.0.1:1'), context())
    await expect(waiting.request('/', { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
      code: expect.stringMatching(/ABORTED|DEADLINE_EXCEEDED/),
    })
  })
})
