import { createHttpBackend, createTestIssuer, type HttpBackend } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, mappingTo, startConnectorBench } from './connector-bench.ts'

const issuer = createTestIssuer()
let backend: HttpBackend
let bench: ConnectorBench
beforeEach(async () => {
  backend = await createHttpBackend({ answer: ({ target }) => ({ body: `you asked for ${target}` }) })
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})
const start = async (mapping: Readonly<Record<string, unknown>> = {}, connector: Readonly<Record<string, unknown>> = {}): Promise<void> => {
  bench = await startConnectorBench({
    connector: { ...connector, mappings: [mappingTo(backend.url, mapping)] },
    issuers: [{ issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: issuer.keys }],
  })
}
const status = async (path: string, more: Readonly<Record<string, unknown>> = {}): Promise<number> =>
  (await bench.request({ path, ...more })).status

describe('access to systems', () => {
  it('CC-081 CC-083 answers 403 for an unknown virtual host or port and opens no backend connection', async () => {
    await start()
    for (const to of [{ host: 'other.demo' }, { port: 444 }]) {
      const answer = await bench.request(to)
      expect(answer.status).toBe(403)
      expect(answer.body).toBe(
        `Access denied to system ${to.host ?? 's4.demo'}:${to.port ?? 443}. In case this was a valid request, ensure to expose the system correctly in your cloud connector.\n`,
      )
      expect(answer.headers).toMatchObject({ 'x-connectivity-error-origin': 'connector', 'x-request-id': 'corr-1' })
    }
    // A request that is allowed comes behind whatever a refused one has opened.
    expect(await status('/')).toBe(200)
    expect(backend.requests).toHaveLength(1)
    expect(backend.connections).toBe(1)
  })

  it('finds the virtual host in any case', async () => {
    await start({ virtual: 'S4.Demo:443' })
    expect(await status('/')).toBe(200)
  })

  it('CC-072 lets TCP through a mapping without resources, and HTTP not', async () => {
    bench = await startConnectorBench({
      connector: { mappings: [{ virtual: 's4.demo:443', internal: `tcp://127.0.0.1:${backend.address.port}` }] },
    })
    const { answer, stream } = await bench.tcp({ host: 's4.demo', port: 443 })
    expect(answer).toEqual({ kind: 'connected' })
    stream.destroy()
    expect(await status('/')).toBe(403)
    expect(backend.requests).toEqual([])
  })
})

describe('access to resources', () => {
  it('CC-082 CC-083 answers 403 for a path that no resource admits and opens no backend connection', async () => {
    await start({ resources: [{ path: '/open' }] })
    const answer = await bench.request({ path: '/closed/x?y=z' })
    expect(answer.status).toBe(403)
    expect(answer.body).toBe(
      'Access denied to resource /closed/x on system s4.demo:443. In case this was a valid request, ensure to expose the resource correctly in your cloud connector.\n',
    )
    expect(await status('/open')).toBe(200)
    expect(backend.requests).toHaveLength(1)
    expect(backend.connections).toBe(1)
  })

  it('CC-058 CC-061 a path-only resource admits exactly its path, with any query', async () => {
    await start({ resources: [{ path: '/sap/bc/ping' }] })
    expect(await status('/sap/bc/ping')).toBe(200)
    expect(await status('/sap/bc/ping?x=/../../etc')).toBe(200)
    expect(await status('/sap/bc/ping/x')).toBe(403)
    expect(await status('/other?/sap/bc/ping')).toBe(403)
    expect(backend.requests.map((request) => request.target)).toEqual(['/sap/bc/ping', '/sap/bc/ping?x=/../../etc'])
  })

  it('CC-059 sub-paths are a prefix of the text, not of segments', async () => {
    await start({ resources: [{ path: '/a', subPaths: true }] })
    expect(await status('/abc')).toBe(200)
    expect(await status('/a/b')).toBe(200)
    expect(await status('/b')).toBe(403)
  })

  it('CC-060 paths are case-sensitive', async () => {
    await start({ resources: [{ path: '/Data', subPaths: true }] })
    expect(await status('/Data')).toBe(200)
    expect(await status('/data')).toBe(403)
  })

  it('CC-062 a suspended resource denies, and admits again without restart', async () => {
    await start({ resources: [{ path: '/x', enabled: false }] })
    expect(await status('/x')).toBe(403)
    await bench.configure({ mappings: [mappingTo(backend.url, { resources: [{ path: '/x', enabled: true }] })] })
    expect(await status('/x')).toBe(200)
  })

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'MERGE'])(
    'CC-063 %s is admitted for a permitted path',
    async (method) => {
      await start({ resources: [{ path: '/x' }] })
      expect(await status('/x', { method })).toBe(200)
      expect(await status('/y', { method })).toBe(403)
      expect(backend.requests.map((request) => request.method)).toEqual([method])
    },
  )

  it('CC-064 / with sub-paths admits everything', async () => {
    await start({ resources: [{ path: '/', subPaths: true }] })
    for (const path of ['/', '/a', '/a/b;c?d', '/%41', '/a/../b']) expect(await status(path), path).toBe(200)
  })

  it('CC-065 a mapping without resources denies every request', async () => {
    await start({ resources: [] })
    for (const path of ['/', '/a', '/index.html']) expect(await status(path), path).toBe(403)
    expect(backend.requests).toEqual([])
  })

  it('forwards an admitted path byte for byte', async () => {
    await start()
    for (const path of ['/a/./b/../c?d=%2F', '/%7Euser/a;b=c/', "/X('1%20a')?$filter=a%20eq%20'b'"]) {
      expect((await bench.request({ path })).body).toBe(`you asked for ${path}`)
    }
  })

  it('denies what readers of paths could disagree about, whatever is admitted', async () => {
    await start({ resources: [{ path: '/public/', subPaths: true }] })
    for (const path of [
      '/public/../private',
      '/public/%2e%2e/private',
      '/public/..%2fprivate',
      '/public/..;/private',
      '/public/%00',
      '/public/%5c..',
    ]) {
      expect(await status(path), path).toBe(403)
    }
    expect(backend.requests).toEqual([])
  })

  it('CC-099 a changed mapping applies to the next request, also on a connection that is open', async () => {
    const other = await createHttpBackend({ answer: () => ({ body: 'other' }) })
    await start()
    const agent = bench.keepAlive()
    expect((await bench.request({ path: '/a', agent })).body).toBe('you asked for /a')
    await bench.configure({ mappings: [mappingTo(other.url)] })
    expect((await bench.request({ path: '/a', agent })).body).toBe('other')
    await bench.configure({ mappings: [] })
    expect((await bench.request({ path: '/a', agent })).status).toBe(403)
    await other[Symbol.asyncDispose]()
  })

  it('keeps a connection usable after a refusal, and closes it when a long body is on its way', async () => {
    await start({ resources: [{ path: '/open' }] })
    const agent = bench.keepAlive()
    const refused = await bench.request({ path: '/closed', method: 'POST', body: 'x'.repeat(1000), agent })
    expect([refused.status, refused.headers.connection]).toEqual([403, undefined])
    expect((await bench.request({ path: '/open', agent })).status).toBe(200)
    expect(bench.openStreams).toBe(1)
    const long = await bench.request({ path: '/closed', method: 'POST', body: 'x'.repeat(100_000), agent })
    expect([long.status, long.headers.connection]).toEqual([403, 'close'])
  })
})

describe('audit of requests', () => {
  it('CC-084 CC-085 writes denied requests at level SECURITY, and not allowed ones', async () => {
    await start({ resources: [{ path: '/open' }] })
    await bench.request({ path: '/open' })
    await bench.request({ path: '/closed' })
    await bench.request({ host: 'unknown' })
    expect(bench.audit).toEqual([
      {
        type: 'access-denied',
        subaccount: 'demo',
        user: '',
        message: 'Access denied to resource /closed on system s4.demo:443: no enabled resource admits the path',
        correlationId: 'corr-1',
      },
      {
        type: 'access-denied',
        subaccount: 'demo',
        user: '',
        message: 'Access denied to resource / on system unknown:443: no mapping for this virtual host and port',
        correlationId: 'corr-1',
      },
    ])
  })

  it('CC-085 writes allowed requests at level ALL only', async () => {
    await start({}, { audit: { level: 'ALL' } })
    await bench.request({ path: '/a?secret=1' })
    expect(bench.audit).toMatchObject([{ type: 'access-allowed', message: 'Access allowed to resource /a on system s4.demo:443' }])
    await bench.configure({ mappings: [mappingTo(backend.url)], audit: { level: 'OFF' } })
    await bench.request({ path: '/a' })
    await bench.request({ host: 'unknown' })
    expect(bench.audit.filter((entry) => entry.type.startsWith('access'))).toHaveLength(1)
  })

  it('PP-053 names user, resource and system for allowed and denied calls', async () => {
    await start({ resources: [{ path: '/open' }] }, { audit: { level: 'ALL' } })
    const principal = { kind: 'business', token: issuer.user('jane@acme.test') } as const
    await bench.request({ path: '/open', principal })
    await bench.request({ path: '/closed', principal })
    await bench.request({ path: '/closed', principal: { kind: 'business', token: `${issuer.user('forged')}x` } })
    expect(bench.audit).toMatchObject([
      { type: 'access-allowed', user: 'jane@acme.test', message: 'Access allowed to resource /open on system s4.demo:443' },
      { type: 'access-denied', user: 'jane@acme.test', message: expect.stringContaining('/closed on system s4.demo:443') },
      { type: 'access-denied', user: '(not verified)' },
    ])
  })

  it('denies everything while the audit log cannot be written', async () => {
    await start()
    bench.auditSink.failing = true
    const answer = await bench.request({})
    expect([answer.status, answer.headers['x-connectivity-error-origin']]).toEqual([503, 'connector'])
    expect((await bench.tcp({ host: 's4.demo', port: 443 })).answer).toMatchObject({ kind: 'refused' })
    expect(backend.requests).toEqual([])
    bench.auditSink.failing = false
    expect(await status('/')).toBe(200)
  })
})
