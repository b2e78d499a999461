import { connect as connectTls, type TLSSocket } from 'node:tls'
import { connect } from 'node:net'
import { createSecret } from '@sallyport/core'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryGrantStore, createMemorySigningKeyStore, defaultLimits } from '../src/index.ts'
import { ids, type RunningService, secrets, startService, testCa } from '../conformance/running-service.ts'

let running: RunningService
beforeAll(async () => {
  running = await startService()
})
afterAll(async () => running.service.close())

/** Sends bytes and collects what comes back until the other side closes. */
function raw(bytes: string | Buffer, options: { readonly plain?: boolean; readonly service?: RunningService } = {}): Promise<string> {
  const service = options.service ?? running
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket =
      options.plain === true
        ? connect(service.http.port, '127.0.0.1')
        : connectTls({ port: service.https.port, host: '127.0.0.1', servername: 'localhost', ca: testCa.certificate })
    socket.once(options.plain === true ? 'connect' : 'secureConnect', () => socket.write(bytes))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? undefined : reject(error),
    )
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })
}

const request = (head: string, body = ''): string =>
  `${head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** Head and JSON body of an error answer. */
function parse(answer: string): { readonly status: number; readonly body: Record<string, unknown> } {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]),
    body: JSON.parse(body.replace(/^[\da-f]+\r\n|\r\n0$/g, '')) as Record<string, unknown>,
  }
}

const errorBody = { error: expect.any(String), error_description: expect.any(String) }

describe('every refusal is JSON with error and error_description', () => {
  it.each([
    ['not HTTP', 'garbage\r\n\r\n', 400],
    ['a bare line feed in a header', 'GET /health HTTP/1.1\nHost: localhost\n\n', 400],
    ['two different lengths', 'POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
    [
      'length and chunks',
      'POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['no Host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['a head that is too large', `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(33_000)}\r\n\r\n`, 431],
    ['a query that is too large', `GET /health?${'x'.repeat(33_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
    [
      'a body that is too large',
      request('POST /oauth/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded', `assertion=${'x'.repeat(66_000)}`),
      413,
    ],
    ['a body of another type', request('POST /oauth/token HTTP/1.1\r\nContent-Type: application/json', '{"grant_type":"password"}'), 415],
    ['a body without type', request('POST /oauth/token HTTP/1.1', 'grant_type=password'), 415],
    ['a path that cannot be decoded', request('GET /%zz HTTP/1.1'), 400],
    ['an unknown path', request('GET /nothing HTTP/1.1'), 404],
    ['another method', request('GET /oauth/token HTTP/1.1'), 405],
    ['a method nobody knows', request('PROPFIND /token_keys HTTP/1.1'), 405],
    [
      'too many parameters',
      request('POST /oauth/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded', 'a=1&'.repeat(70)),
      400,
    ],
    ['an encoding error', request('POST /oauth/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded', 'grant_type=%ff'), 400],
  ] as const)('%s', async (_, bytes, status) => {
    const answer = parse(await raw(bytes))
    expect(answer).toEqual({ status, body: errorBody })
  })

  it('names the methods that a path has', async () => {
    expect((await running.call({ path: '/oauth/token' })).headers.allow).toBe('POST')
    expect((await running.call({ method: 'DELETE', path: '/token_keys' })).headers.allow).toBe('GET, HEAD')
  })
})

describe('generated requests', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom('', '\0', '../..', '{{7*7}}', "' or 1=1 --", '%00', 'null', '[object Object]', '\u{1F600}'.repeat(20)),
  )
  const grant = fc.constantFrom(
    'client_credentials',
    'password',
    'refresh_token',
    'authorization_code',
    'user_token',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'x',
  )
  const names = [
    'client_id',
    'client_secret',
    'assertion',
    'refresh_token',
    'code',
    'redirect_uri',
    'code_verifier',
    'scope',
    'authorities',
    'zid',
    '__proto__',
  ]

  it('are answered with 4xx and JSON, whoever asks', async () => {
    const property = fc.asyncProperty(
      grant,
      fc.dictionary(fc.constantFrom(...names), text),
      fc.boolean(),
      fc.constantFrom('', 'Basic ', 'Bearer '),
      text,
      async (grant_type, parameters, known, scheme, credentials) => {
        const client = known ? { client_id: ids.app, client_secret: secrets.app } : {}
        const authorization = scheme === '' ? {} : { authorization: scheme + Buffer.from(credentials).toString('base64') }
        // Without a password grant no attempt counter fills up; with known credentials technical tokens are granted.
        const answer = await running.token({ ...parameters, grant_type, ...client }, { headers: authorization, plain: true })
        const body = answer.json()
        return answer.status === 200
          ? known && grant_type === 'client_credentials'
          : answer.status < 500 && Object.keys(body).join() === 'error,error_description'
      },
    )
    expect(await fc.check(property, { numRuns: 250 })).toMatchObject({ failed: false })
  })

  it('tokens that were changed anywhere are not assertions', async () => {
    const token = await running.userToken()
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: token.length - 1 }),
      fc.constantFrom('A', 'B', 'z', '0', '9', '-', '_', '.'),
      async (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1)
        // The last character of a part has bits that do not count.
        const same =
          changed
            .split('.')
            .map((part) => Buffer.from(part, 'base64url').toString('hex'))
            .join() ===
          token
            .split('.')
            .map((part) => Buffer.from(part, 'base64url').toString('hex'))
            .join()
        const answer = await running.token(
          { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', client_id: ids.app, client_secret: secrets.app, assertion: changed },
          { plain: true },
        )
        return same || answer.status === 401
      },
    )
    expect(await fc.check(property, { numRuns: 150 })).toMatchObject({ failed: false })
  })

  it('bytes that are no request leave the service working', async () => {
    const property = fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
      const answer = await raw(Buffer.concat([Buffer.from(bytes), Buffer.from('\r\n\r\n')]), { plain: true })
      return answer === '' || /^HTTP\/1\.1 4\d\d /.test(answer)
    })
    expect(await fc.check(property, { numRuns: 100 })).toMatchObject({ failed: false })
    expect((await running.call({ path: '/health' })).json()).toEqual({ status: 'ok' })
  })
})

describe('secrets', () => {
  it('and tokens, wherever they stand in a request, never reach a log line or an error', async () => {
    await using service = await startService()
    const userToken = await service.userToken()
    const secret = 'S3CRET-that-nobody-may-see'
    const answers = [
      await service.token({ grant_type: 'password', client_id: ids.app, client_secret: secrets.app, username: 'root', password: secret }),
      await service.token({ grant_type: 'client_credentials', client_id: ids.app, client_secret: secret }),
      await service.token({ grant_type: 'client_credentials', client_id: secret, client_secret: secret }),
      await service.token({ grant_type: secret, client_id: ids.app, client_secret: secrets.app }),
      await service.call({ method: 'POST', path: `/oauth/token?client_secret=${secret}&client_secret=${secret}x` }),
      await service.call({ path: `/${secret}?password=${secret}` }),
      await service.call({ path: `/oauth/authorize?client_id=${secret}&state=${secret}`, headers: { accept: 'text/html' } }),
      await service.token({ grant_type: 'user_token', client_id: ids.app }, { headers: { authorization: `Bearer ${secret}` } }),
      await service.token({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        client_id: ids.app,
        client_secret: secrets.app,
        assertion: `${userToken}x`,
      }),
      await service.token({ grant_type: 'refresh_token', client_id: ids.app, client_secret: secrets.app, refresh_token: secret }),
    ]
    const last = await service.token({ grant_type: 'client_credentials', client_id: ids.app, client_secret: secrets.app })
    await Promise.all([...answers, last].map(({ headers }) => service.loggedRequest(headers['x-vcap-request-id'])))
    const shown = JSON.stringify([service.logged, answers.map(({ text, headers }) => [text, headers])])
    expect(service.logged.length).toBeGreaterThanOrEqual(11)
    for (const hidden of [secret, secrets.app, userToken.split('.')[1] ?? '', userToken.split('.')[2] ?? ''])
      expect(shown).not.toContain(hidden)
  })

  it('a defect inside is a 500 without text, stack or path', async () => {
    const failing = new Error('/etc/secret-path: password=hunter2')
    await using service = await startService({
      users: { findByName: () => Promise.reject(failing), findById: () => Promise.reject(failing) },
    })
    const answer = await service.token({
      grant_type: 'password',
      client_id: ids.app,
      client_secret: secrets.app,
      username: 'x',
      password: 'y',
    })
    expect([answer.status, answer.json()]).toEqual([500, { error: 'server_error', error_description: expect.any(String) }])
    expect(answer.text).not.toMatch(/hunter2|secret-path|\.ts|at /)
    expect(JSON.stringify(service.logged)).not.toContain('hunter2')
    expect(service.logged.filter(({ level }) => level === 'error')).toMatchObject([{ reason: 'Error', correlationId: expect.any(String) }])
  })
})

describe('peers and neighbours', () => {
  it('a TLS client that breaks off, speaks plain HTTP or an old version leaves the service working', async () => {
    expect(await raw('GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', { plain: true })).toMatch(/^HTTP\/1\.1 400 /)
    await new Promise<void>((resolve) => {
      const socket = connect(running.https.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'))
      socket.on('error', () => {}).on('close', () => resolve())
      socket.resume()
    })
    const old = await new Promise<string>((resolve) => {
      const socket: TLSSocket = connectTls(
        {
          port: running.https.port,
          host: '127.0.0.1',
          ca: testCa.certificate,
          minVersion: 'TLSv1',
          maxVersion: 'TLSv1.1',
          ciphers: 'DEFAULT@SECLEVEL=0',
        },
        () => resolve('connected'),
      )
      socket.on('error', () => resolve('refused'))
    })
    expect(old).toBe('refused')
    expect((await running.call({ path: '/health' })).status).toBe(200)
  })

  it('a port that is taken is named', async () => {
    await expect(running.service.listenHttp({ host: '127.0.0.1', port: running.http.port })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
  })

  it('a key store that is down keeps the service from starting and makes it unhealthy, not from recovering', async () => {
    const store = createMemorySigningKeyStore()
    let down = true
    const keys = { ...store, list: () => (down ? Promise.reject(new Error('down')) : store.list()) }
    await expect(startService({ keys })).rejects.toThrow('down')
    down = false
    await using service = await startService({ keys })
    service.clock.advance(3_600_000)
    down = true
    expect((await service.call({ path: '/health' })).status).toBe(500)
    down = false
    expect((await service.call({ path: '/health' })).status).toBe(200)
  })

  it('a user, client or trust that is taken away ends what was granted', async () => {
    let gone = false
    const user = { id: 'u', tenantId: ids.tenant, name: 'u', origin: 'sap.default', groups: [], attributes: {} }
    await using service = await startService({ users: { findByName: async () => user, findById: async () => (gone ? undefined : user) } })
    const app = { client_id: ids.app, client_secret: secrets.app }
    const assertion = await service.userToken('u')
    const exchange = (): ReturnType<RunningService['token']> =>
      service.token({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', ...app, assertion })
    const refresh_token = String((await exchange()).json()['refresh_token'])
    expect((await service.token({ grant_type: 'refresh_token', ...app, refresh_token })).status).toBe(200)
    gone = true
    expect((await exchange()).status).toBe(401)
    expect((await service.token({ grant_type: 'refresh_token', ...app, refresh_token })).status).toBe(400)
  })

  it('a request under way is answered while the service closes, and closing twice is fine', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let arrived = (): void => {}
    const arrival = new Promise<void>((resolve) => (arrived = resolve))
    const grants = createMemoryGrantStore({
      clock: { now: () => Date.now(), elapsed: () => 0, after: () => () => {} },
      bounds: defaultLimits,
    })
    const service = await startService({
      grants: {
        ...grants,
        async find(kind, hash) {
          arrived()
          await held
          return grants.find(kind, hash)
        },
      },
      moreClients: [{ id: 'other', tenant: ids.tenant, secrets: [createSecret('x'.repeat(20))] }],
    })
    const answer = service.token({ grant_type: 'refresh_token', client_id: ids.app, client_secret: secrets.app, refresh_token: 'x' })
    await arrival
    const closing = service.service.close()
    release()
    expect((await answer).status).toBe(400)
    await closing
    await service.service.close()
    await expect(service.service.listenHttp({ host: '127.0.0.1', port: 0 })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
  })
})
