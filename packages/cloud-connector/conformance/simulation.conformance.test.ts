import { X509Certificate } from 'node:crypto'
import type { SynchronisedIssuer } from '@sallyport/principal-propagation'
import { createHttpBackend, createTestCa, createTestIssuer, createTestKeytab, type HttpBackend } from '@sallyport/test-fixtures'
import type { WirePrincipal } from '@sallyport/tunnel'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SimulatedRequest } from '../src/index.ts'
import { type ConnectorBench, locationId, mappingTo, startConnectorBench, subaccount } from './connector-bench.ts'

const root = createTestCa({ subject: '/O=Test/CN=Root' })
const userCa = createTestCa({ subject: '/O=Test/CN=User CA' })
const systemIdentity = root.issue({ subject: '/CN=connector system', names: [] })
const server = root.issue({ subject: '/CN=backend' })
const issuer = createTestIssuer()
const stranger = createTestIssuer({ issuer: 'https://stranger.example/oauth/token' })
const trusted: SynchronisedIssuer = { issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: issuer.keys }
const files = {
  'root.pem': root.certificate,
  'ca.pem': userCa.certificate,
  'ca.key': userCa.key,
  'system.pem': systemIdentity.certificate,
  'system.key': systemIdentity.key,
}

const jane: WirePrincipal = { kind: 'business', token: issuer.user('jane@acme.test') }
const robot: WirePrincipal = { kind: 'technical', token: issuer.technical() }
const foreigner: WirePrincipal = { kind: 'business', token: stranger.user('jane@acme.test') }

let backend: HttpBackend
let bench: ConnectorBench
beforeAll(async () => {
  backend = await createHttpBackend({
    tls: { certificate: server.certificate, key: server.key, clientCa: root.certificate },
    answer: () => ({ body: 'ok' }),
  })
  const to = (virtual: string, more: Readonly<Record<string, unknown>>): unknown => ({ ...mappingTo(backend.url, more), virtual })
  bench = await startConnectorBench({
    connector: {
      backendTrust: { authorities: [{ file: 'root.pem' }] },
      systemCertificate: { certificate: { file: 'system.pem' }, key: { file: 'system.key' } },
      principalPropagation: {
        ca: { certificate: { file: 'ca.pem' }, key: { file: 'ca.key' } },
        rules: [
          { when: { variable: 'user_type', operator: 'is', value: 'Technical' }, subject: 'CN=${missing}' },
          { subject: 'CN=${name},O=Acme' },
        ],
      },
      mappings: [
        to('users:443', {
          principalType: 'X509_GENERAL',
          resources: [
            { path: '/sap', subPaths: true },
            { path: '/exact' },
            { path: '/off', enabled: false },
            { path: '/ws', websocketUpgradeAllowed: true },
          ],
        }),
        to('tickets:443', { principalType: 'KERBEROS', resources: [{ path: '/', subPaths: true }] }),
        to('nobody:443', { principalType: 'NONE_RESTRICTED', resources: [{ path: '/', subPaths: true }] }),
        { virtual: 'bytes:7', internal: 'tcp://127.0.0.1:9' },
      ],
    },
    files,
    issuers: [trusted],
    wantsEvents: true,
  })
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})
beforeEach(() => {
  bench.audit.length = 0
  bench.events.length = 0
})

const simulate = (request: SimulatedRequest) => bench.connector.simulation({ subaccount, locationId }).request(request, 'admin')

describe('trying a request', () => {
  it.each<[string, Partial<SimulatedRequest>]>([
    ['an admitted path', { path: '/sap/bc?x=1' }],
    ['an exact path', { path: '/exact' }],
    ['below an exact path', { path: '/exact/more' }],
    ['a suspended resource', { path: '/off' }],
    ['a path that climbs', { path: '/sap/../secret' }],
    ['a path that cannot be written', { path: '/sap/a b' }],
    ['a target that is no path', { path: 'sap' }],
    ['another system', { host: 'other', path: '/sap' }],
    ['another port', { port: 80, path: '/sap' }],
    ['TCP behind HTTP', { host: 'bytes', port: 7, path: '/' }],
    ['an upgrade that is not allowed', { path: '/exact', upgrade: 'websocket' }],
    ['an upgrade to something else', { path: '/ws', upgrade: 'h2c' }],
    ['a user who is trusted', { path: '/sap', principal: jane }],
    ['a rule without value', { path: '/sap', principal: robot }],
    ['a stranger', { path: '/sap', principal: foreigner }],
    ['a token where nothing is propagated', { host: 'nobody', path: '/', principal: foreigner }],
    ['a ticket that nobody can ask for', { host: 'tickets', path: '/', principal: jane }],
    ['a ticket for a stranger', { host: 'tickets', path: '/', principal: foreigner }],
  ])('%s is decided as the data path decides it, and answered with the same words', async (_what, given) => {
    const request: SimulatedRequest = { host: 'users', port: 443, ...given }
    const before = backend.requests.length
    const simulated = await simulate(request)
    expect(backend.requests).toHaveLength(before)
    const { host, path = '/', port, principal, upgrade } = request
    // What no client of this bench would send is written by hand.
    const connection = bench.raw({ host, port: Number(port), ...(principal === undefined ? {} : { principal }) })
    connection.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: ${upgrade === undefined ? 'close' : `Upgrade, close\r\nUpgrade: ${upgrade}`}\r\n\r\n`,
    )
    await expect.poll(() => connection.text).toMatch(/\r\n\r\n.*\n?$/s)
    const [, status, body = ''] = /^HTTP\/1\.1 (\d+) .*?\r\n\r\n(.*)$/s.exec(connection.text) ?? []
    const real =
      Number(status) === 200
        ? { allowed: true, refusal: undefined }
        : { allowed: false, refusal: { status: Number(status), text: body.trim() } }
    expect({ allowed: simulated.allowed, refusal: simulated.refusal }).toEqual(real)
  })

  it('tells whose ticket would be asked for, and whose name is refused before, without asking', async () => {
    // Nobody listens where the KDC should be.
    const kerberos = { realm: 'ACME.TEST', kdcHosts: ['127.0.0.1:1'], serviceUser: 'svc', keytab: { file: 'service.keytab' } }
    await using configured = await startConnectorBench({
      connector: { kerberos, mappings: [mappingTo('http://127.0.0.1:9', { principalType: 'KERBEROS' })] },
      files: { 'service.keytab': createTestKeytab([{ principal: 'svc@ACME.TEST', encryption: 18 }]) },
      issuers: [trusted],
    })
    const ask = (principal: WirePrincipal) =>
      configured.connector.simulation({ subaccount, locationId }).request({ host: 's4.demo', port: 443, path: '/', principal }, 'admin')
    expect(await ask(jane)).toMatchObject({ allowed: true, principal: { use: 'ticket', user: 'jane@acme.test' } })
    const elsewhere: WirePrincipal = { kind: 'business', token: issuer.user('jane@evil.example') }
    const refused = await ask(elsewhere)
    expect(refused).toMatchObject({
      allowed: false,
      refusal: { status: 500, text: expect.stringContaining('is of another realm than ACME.TEST') },
    })
    expect((await configured.request({ principal: elsewhere })).body.trim()).toBe(refused.refusal?.text)
  })

  it('refuses a user without a system certificate, as the data path does', async () => {
    await using open = await createHttpBackend({
      tls: { certificate: server.certificate, key: server.key },
      answer: () => ({ body: 'ok' }),
    })
    await using configured = await startConnectorBench({
      connector: {
        backendTrust: { authorities: [{ file: 'root.pem' }] },
        principalPropagation: { ca: { certificate: { file: 'ca.pem' }, key: { file: 'ca.key' } }, rules: [{ subject: 'CN=${name}' }] },
        mappings: [mappingTo(open.url, { principalType: 'X509_GENERAL' })],
      },
      files,
      issuers: [trusted],
    })
    const ask = (principal?: WirePrincipal) =>
      configured.connector.simulation({ subaccount, locationId }).request({ host: 's4.demo', port: 443, path: '/', principal }, 'admin')
    const real = await configured.request({ principal: jane })
    expect(await ask(jane)).toMatchObject({
      allowed: false,
      reason: 'principals cannot be propagated without a system certificate',
      refusal: { status: 502, text: real.body.trim() },
    })
    expect(await ask()).toMatchObject({ allowed: true })
  })

  it('refuses by what the last attempt for a ticket has met', async () => {
    const kerberos = { realm: 'ACME.TEST', kdcHosts: ['127.0.0.1:1'], serviceUser: 'svc', keytab: { file: 'service.keytab' } }
    await using configured = await startConnectorBench({
      connector: { kerberos, mappings: [mappingTo('http://127.0.0.1:9', { principalType: 'KERBEROS' })] },
      files: { 'service.keytab': createTestKeytab([{ principal: 'svc@ACME.TEST', encryption: 18 }]) },
      issuers: [trusted],
    })
    const real = await configured.request({ principal: jane })
    const refused = await configured.connector
      .simulation({ subaccount, locationId })
      .request({ host: 's4.demo', port: 443, path: '/', principal: jane }, 'admin')
    expect(refused).toMatchObject({ allowed: false, refusal: { status: 500, text: real.body.trim() } })
  })

  it('names the mapping and the resource that decided, or what would be admitted', async () => {
    expect(await simulate({ host: 'USERS', port: 443, path: '/sap/x' })).toMatchObject({
      mapping: { virtual: 'users:443', protocol: 'HTTPS', principalType: 'X509_GENERAL' },
      resource: { id: '/sap', exactMatchOnly: false },
      principal: { use: 'nothing' },
    })
    expect(await simulate({ host: 'users', port: 443, path: '/none' })).toMatchObject({
      resource: undefined,
      admitted: [{ id: '/sap', exactMatchOnly: false }, { id: '/exact', exactMatchOnly: true }, { id: '/ws' }],
    })
    expect(await simulate({ host: 'nobody', port: 443, path: '/x' })).toMatchObject({ allowed: true, principal: { use: 'empty-header' } })
    expect(await simulate({ host: 'bytes', port: 7 })).toMatchObject({
      allowed: true,
      resource: undefined,
      mapping: { internal: '127.0.0.1:9' },
    })
  })

  it('takes the name of a port that a mapping has, and no other name', async () => {
    expect(await simulate({ host: 'Users', port: '443', path: '/exact' })).toMatchObject({ allowed: true })
    for (const port of ['sapgw00', '0', 65_536, 99_999])
      await expect(simulate({ host: 'users', port }), String(port)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
  })

  it('writes into the audit log who looked, and never a token', async () => {
    await simulate({ host: 'users', port: 443, path: '/sap', principal: jane })
    expect(bench.audit).toMatchObject([
      { type: 'access-simulated', subaccount, user: 'admin', message: expect.stringContaining('/sap on system users:443') },
    ])
    expect(JSON.stringify(bench.audit)).not.toContain(jane.token.split('.')[1])
    expect(bench.events).toEqual([])
  })
})

describe('what a token would become', () => {
  it('is the subject that the backend then sees, by the rule that fires; nothing is issued for it', async () => {
    const mary: WirePrincipal = { kind: 'business', token: issuer.user('mary@acme.test') }
    const preview = await bench.connector.simulation({ subaccount, locationId }).principal(mary, 'admin')
    expect(preview).toMatchObject({
      kind: 'trusted',
      user: 'mary@acme.test',
      tokenIssuer: issuer.issuer,
      certificate: {
        issuable: true,
        subject: 'CN=mary@acme.test,O=Acme',
        issuer: 'CN=User CA,O=Test',
        rule: { index: 1, rule: { pattern: { CN: '${name}', O: 'Acme' } } },
      },
    })
    expect(bench.events.filter(({ type }) => type === 'principal-issued')).toEqual([])
    await bench.request({ host: 'users', port: 443, path: '/sap', principal: mary })
    expect(bench.events).toContainEqual(
      expect.objectContaining({ type: 'principal-issued', subject: 'CN=mary@acme.test,O=Acme', cached: false }),
    )
    const raw = backend.requests.at(-1)?.rawHeaders ?? []
    const header = raw[raw.findIndex((name) => name.toUpperCase() === 'SSL_CLIENT_CERT') + 1] ?? ''
    const real = new X509Certificate(Buffer.from(header, 'base64'))
    expect(real.subject).toBe('O=Acme\nCN=mary@acme.test')
    if (preview.kind !== 'trusted' || !preview.certificate.issuable) throw new Error('not issuable')
    expect(real.validToDate.getTime() - preview.certificate.notAfterMs).toBeLessThan(60_000)
  })

  it('is the reason where there is no certificate, with the rule where one fired', async () => {
    const { principal } = bench.connector.simulation({ subaccount, locationId })
    expect(await principal(robot, 'admin')).toMatchObject({
      kind: 'trusted',
      certificate: { issuable: false, reason: 'variable', problem: expect.stringContaining('${missing}'), rule: { index: 0 } },
    })
    expect(await principal(foreigner, 'admin')).toEqual({ kind: 'not-trusted', message: expect.stringContaining('issuer') })
    expect(bench.audit.map(({ message }) => message).join()).not.toContain('eyJ')
  })

  it('is asked of a tunnel that is there', () => {
    expect(() => bench.connector.simulation({ subaccount: 'nope', locationId })).toThrow(/no tunnel/)
  })
})
