import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, createServer as createNetServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { promisify } from 'node:util'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KerberosSettings } from '@sallyport/admin-api'
import { createSecret, silentLogger } from '@sallyport/core'
import { createTestCa, createTestIssuer, createHttpBackend, createManualClock } from '@sallyport/test-fixtures'
import { type Httpd, type Kdc, skipUnless, skipWithoutKerberosPeer, startKdc, startKerberosBackend } from '@sallyport/real-backends'
import type { SynchronisedIssuer } from '@sallyport/principal-propagation'
import type { WirePrincipal } from '@sallyport/tunnel'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type BenchAnswer,
  type BenchRequest,
  type ConnectorBench,
  mappingTo,
  startConnectorBench,
  until,
} from '../conformance/connector-bench.ts'
import { isAlive, recordProgram } from '../faults/recorded-program.ts'
import { createRealmTickets, type RealmTickets } from '../src/kerberos/realm-tickets.ts'
import { ticketIdleMs, ticketMs } from '../src/limits.ts'

const issuer = createTestIssuer()
const trusted: SynchronisedIssuer = { issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: issuer.keys }
const principal = (name: string): WirePrincipal => ({ kind: 'business', token: issuer.user(name) })
const jane = principal('jane')
const john = principal('john')

/** A way to the KDC that can go on taking questions and bring no answer any more. */
async function startMutableWay(kdc: Kdc): Promise<{ isMute: boolean; readonly port: number; readonly server: Server; close(): void }> {
  const server = createNetServer((socket) => {
    const far = connect(kdc.port, kdc.host)
    socket.on('error', () => far.destroy())
    far.on('error', () => socket.destroy())
    far.pipe(socket)
    if (!way.isMute) socket.pipe(far)
  })
  const way = { isMute: false, port: 0, server, close: () => void server.close() }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  way.port = (server.address() as AddressInfo).port
  return way
}

const never = new AbortController().signal

const searchPath = '/usr/local/bin:/usr/bin:/bin'

const skip =
  skipUnless('krb5kdc', 'kadmin.local', 'kdb5_ldap_util', 'kinit', 'kvno', 'slapd', 'ldapmodify', 'apache2') || skipWithoutKerberosPeer()

describe.skipIf(skip)('Kerberos against a KDC and a backend of the distribution', () => {
  let kdc: Kdc
  let backend: Httpd
  let keytab: Buffer
  let backendKeytab: Buffer
  let bench: ConnectorBench
  let folder: string

  beforeAll(async () => {
    kdc = await startKdc({
      commands: [
        'addprinc -randkey +ok_to_auth_as_delegate svc-connector',
        'addprinc -randkey HTTP/localhost',
        'addprinc -randkey HTTP/127.0.0.1',
        'addprinc -pw jane jane',
        'addprinc -pw john john',
        'addprinc -pw chief -allow_forwardable chief',
      ],
      delegation: { 'svc-connector': ['HTTP/localhost'] },
      aliases: { jane: 'jane.doe@acme.example' },
    })
    keytab = await kdc.keytab('svc-connector')
    backendKeytab = await kdc.keytab('HTTP/localhost', 'HTTP/127.0.0.1')
    backend = await startKerberosBackend(kdc, backendKeytab)
  })
  afterAll(async () => {
    await backend?.stop()
    await kdc?.stop()
  })
  afterEach(async () => {
    await bench?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const kerberos = (changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
    realm: kdc.realm,
    kdcHosts: [`${kdc.host}:${kdc.port}`],
    serviceUser: 'svc-connector',
    keytab: { file: 'service.keytab' },
    ...changes,
  })
  const mapping = (changes: Readonly<Record<string, unknown>> = {}, port = backend.port): Readonly<Record<string, unknown>> =>
    mappingTo(`http://localhost:${port}`, { principalType: 'KERBEROS', ...changes })
  const start = async (
    connector: Readonly<Record<string, unknown>> = {},
    files: Readonly<Record<string, Buffer | string>> = {},
    programs = searchPath,
  ): Promise<void> => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-kerberos-test-'))
    bench = await startConnectorBench({
      connector: { kerberos: kerberos(), mappings: [mapping()], ...connector },
      files: { 'service.keytab': keytab, ...files },
      issuers: [trusted],
      wantsEvents: true,
      kerberos: { folder: join(folder, 'tickets'), searchPath: programs },
    })
  }
  const ask = (request: BenchRequest = {}): Promise<BenchAnswer> => bench.request({ principal: jane, ...request })
  const logOns = (): number => kdc.log().match(/AS_REQ /g)?.length ?? 0
  const remoteUser = (answer: BenchAnswer): unknown => answer.headers['x-remote-user']

  it('PP-047 each request carries a ticket of its own in the name of its user, which the backend accepts once', async () => {
    await start()
    const agent = bench.keepAlive({ principal: jane })
    const before = kdc.log().split('PROTOCOL-TRANSITION').length
    const answers = [await ask({ agent }), await ask({ agent }), await ask()]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(answers.map(remoteUser)).toEqual(['jane@ACME.TEST', 'jane@ACME.TEST', 'jane@ACME.TEST'])
    const tokens = answers.map(({ headers }) => String(headers['x-authorization']))
    for (const token of tokens) expect(token).toMatch(/^Negotiate YI[A-Za-z0-9+/]{500,}=*$/)
    expect(new Set(tokens).size).toBe(3)
    // The KDC was asked for each of them: S4U2self and S4U2proxy.
    expect(kdc.log().split('PROTOCOL-TRANSITION').length - before).toBe(3)
    expect(kdc.log()).toContain('CONSTRAINED-DELEGATION s4u-client=jane@ACME.TEST')
    // A backend that sees one of them again refuses it.
    const replayed = await fetch(`http://localhost:${backend.port}/`, { headers: { authorization: tokens[0] ?? '' } })
    expect(replayed.status).toBe(401)
  })

  it('two users and nobody on one connection are told apart', async () => {
    await start({ audit: { level: 'ALL' } })
    const connection = bench.raw({ principal: jane })
    const seen: (string | undefined)[] = []
    for (const next of [jane, john, null, john, jane]) {
      connection.become(next)
      const before = connection.text.length
      connection.write('GET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n')
      await until(() => /\r\n\r\n(?:hello|[\s\S]*<\/html>)/.test(connection.text.slice(before)))
      const answer = connection.text.slice(before)
      seen.push(answer.startsWith('HTTP/1.1 401') ? '401' : /^X-Remote-User: (.*)\r$/m.exec(answer)?.[1])
    }
    expect(seen).toEqual(['jane@ACME.TEST', 'john@ACME.TEST', '401', 'john@ACME.TEST', 'jane@ACME.TEST'])
    expect(bench.audit.map(({ user }) => user)).toEqual(['jane', 'john', '', 'john', 'jane'])
  })

  it('nobody gets a backend connection on which somebody else is logged on', async () => {
    await using bound = await startKerberosBackend(kdc, backendKeytab, true)
    await start({ mappings: [mapping({}, bound.port)] })
    const connection = bench.raw({ principal: jane })
    const seen: string[] = []
    for (const next of [jane, null, john]) {
      connection.become(next)
      const before = connection.text.length
      connection.write('GET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n')
      await until(() => /\r\n\r\n(?:hello|[\s\S]*<\/html>)/.test(connection.text.slice(before)))
      const answer = connection.text.slice(before)
      seen.push(/^X-Remote-User: (.*)\r$/m.exec(answer)?.[1] || answer.slice(9, 12))
    }
    expect(seen).toEqual(['jane@ACME.TEST', '401', 'john@ACME.TEST'])
  })

  it('the ticket takes the place of what the application has written into Authorization; without principal that goes on', async () => {
    await start()
    const own = { authorization: 'Basic amFuZTpqYW5l' }
    const answer = await ask({ headers: own })
    expect([answer.status, answer.headers['x-authorization']]).toEqual([200, expect.stringMatching(/^Negotiate /)])
    const plain = await bench.request({ headers: own })
    expect([plain.status, plain.headers['x-authorization']]).toEqual([401, own.authorization])
    expect((await ask({ headers: { connection: 'authorization' } })).status).toBe(400)
  })

  it('a name with the realm is that user; one of another realm, of a service or with control characters is refused and the KDC not asked', async () => {
    await start()
    expect(remoteUser(await ask({ principal: principal('jane@acme.test') }))).toBe('jane@ACME.TEST')
    const before = kdc.log()
    for (const name of ['jane@evil.example', 'HTTP/localhost', '-Ujohn', 'jane\u0000', 'jane\\@x', 'x'.repeat(300)]) {
      const answer = await ask({ principal: principal(name) })
      expect([name.slice(0, 20), answer.status, answer.body]).toEqual([
        name.slice(0, 20),
        500,
        expect.stringMatching(/^Unable to generate authorization token for user .* on system s4\.demo:443: the name of the user /s),
      ])
    }
    expect(kdc.log()).toBe(before)
  })

  it('a name of a user domain is asked for as a whole, and found by the KDC', async () => {
    await start({ kerberos: kerberos({ userDomains: ['acme.example'] }) })
    // MIT's KDC leaves the name as it was asked for; that of Active Directory puts the one of the account in its place.
    expect(remoteUser(await ask({ principal: principal('jane.doe@acme.example') }))).toBe(String.raw`jane.doe\@acme.example@ACME.TEST`)
    expect(await ask({ principal: principal('joe@acme.example') })).toMatchObject({
      status: 500,
      body: expect.stringContaining('the KDC does not know the user'),
    })
  })

  it('a request that is sent again, because its kept connection has ended, carries another ticket', async () => {
    const seen: [connection: number, authorization: string][] = []
    const sockets: Socket[] = []
    const server = createServer((request, response) => {
      if (!sockets.includes(request.socket)) sockets.push(request.socket)
      const connection = sockets.indexOf(request.socket)
      seen.push([connection, request.headers.authorization ?? ''])
      if (seen.length === 2) request.socket.destroy()
      else response.end('ok')
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    try {
      await start({ audit: { level: 'ALL' }, mappings: [mapping({}, (server.address() as AddressInfo).port)] })
      const agent = bench.keepAlive({ principal: jane })
      expect([(await ask({ agent })).status, (await ask({ agent })).status]).toEqual([200, 200])
      expect(seen.map(([connection]) => connection)).toEqual([0, 0, 1])
      expect(new Set(seen.map(([, authorization]) => authorization)).size).toBe(3)
      expect(bench.audit.map(({ type }) => type)).toEqual(['access-allowed', 'access-allowed'])
    } finally {
      server.close().closeAllConnections()
    }
  })

  it('the end of a process that makes tokens costs nobody after it a ticket', async () => {
    await start()
    expect((await ask()).status).toBe(200)
    const { stdout } = await promisify(execFile)('pgrep', ['-P', String(process.pid), '-f', 'negotiate-child'])
    const pids = stdout.trim().split('\n').map(Number)
    expect(pids).toHaveLength(1)
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await until(() => pids.every((pid) => !isAlive(pid)))
    expect(remoteUser(await ask())).toBe('jane@ACME.TEST')
  })

  it.each([
    ['a user whom the KDC does not know', 'nobody', /: the KDC does not know the user$/m],
    ['a user who is not to be passed on', 'chief', /: the KDC does not let the service user act for this user at this backend/],
  ])('%s is refused and audited, and the next one gets his ticket', async (_who, name, expected) => {
    await start()
    const answer = await ask({ principal: principal(name) })
    expect([answer.status, answer.body]).toEqual([500, expect.stringMatching(expected)])
    expect(answer.body).toMatch(new RegExp(`^Unable to generate authorization token for user ${name} on system s4\\.demo:443: `))
    expect(bench.audit).toMatchObject([{ type: 'access-denied', user: name, message: expect.stringMatching(expected) }])
    expect(bench.events).toMatchObject([{}, { type: 'principal-refused', code: 'PRINCIPAL_NOT_ISSUED' }, {}])
    expect(remoteUser(await ask())).toBe('jane@ACME.TEST')
  })

  it('a backend that the service user may not pass users on to is refused', async () => {
    await start({ mappings: [mappingTo(`http://127.0.0.1:${backend.port}`, { principalType: 'KERBEROS' })] })
    expect(await ask()).toMatchObject({ status: 500, body: expect.stringContaining('check its constrained delegation') })
  })

  it('a keytab that has been replaced at the KDC is told about, in the status and the check too, and a new one mends it', async () => {
    await start()
    keytab = await kdc.keytab('svc-connector')
    const refused = 'the KDC does not accept the keytab of the service user'
    expect(await ask()).toMatchObject({ status: 500, body: expect.stringContaining(refused) })
    expect(bench.audit).toMatchObject([{ type: 'access-denied', user: 'jane' }])
    expect(bench.connector.status.links[0]?.kerberos).toEqual({ realm: 'ACME.TEST', problem: expect.stringContaining(refused) })
    const holder = { subaccount: 'demo', locationId: '' }
    const asked = logOns()
    expect(await bench.connector.checkBackend(holder, 's4.demo:443', never)).toMatchObject({
      reachable: false,
      detail: expect.stringContaining(refused),
    })
    expect((await Promise.all([ask(), ask()])).map(({ status }) => status)).toEqual([500, 500])
    // Nothing of that locks the service user out.
    expect(logOns()).toBe(asked)
    await bench.configure({ kerberos: kerberos(), mappings: [mapping()] }, { 'service.keytab': keytab })
    expect(remoteUser(await ask())).toBe('jane@ACME.TEST')
    expect(bench.connector.status.links[0]?.kerberos).toEqual({ realm: 'ACME.TEST', problem: undefined })
    expect(await bench.connector.checkBackend(holder, 's4.demo:443', never)).toMatchObject({ reachable: true })
  })

  it('without a KDC requests are refused, and go on when it is back', async () => {
    await start()
    expect((await ask()).status).toBe(200)
    await kdc.halt()
    try {
      expect(await ask()).toMatchObject({ status: 500, body: expect.stringContaining('no KDC answers') })
      expect(bench.connector.status.links[0]?.kerberos?.problem).toContain('no KDC answers')
      expect(bench.audit).toMatchObject([{ type: 'access-denied', user: 'jane' }])
      // Who looks, asks the KDC: that the service user is logged on says nothing.
      const seen = await bench.connector.checkBackend({ subaccount: 'demo', locationId: '' }, 's4.demo:443', never)
      expect(seen).toMatchObject({ reachable: false, detail: expect.stringContaining('no KDC answers') })
      expect(bench.connector.status.links[0]?.kerberos?.problem).toContain('no KDC answers')
    } finally {
      await kdc.start()
    }
    expect(remoteUser(await ask())).toBe('jane@ACME.TEST')
  })

  describe('as time passes', () => {
    const clock = createManualClock()
    const ticketsOf = (kdcHosts: readonly string[]): RealmTickets => {
      folder = mkdtempSync(join(tmpdir(), 'sallyport-kerberos-test-'))
      const settings: KerberosSettings = {
        realm: kdc.realm,
        kdcHosts,
        serviceUser: 'svc-connector',
        encryptionTypes: ['AES256_CTS_HMAC_SHA1_96'],
        userDomains: [],
      }
      return createRealmTickets(
        { settings, keytab: createSecret(keytab.toString('base64')) },
        { folder: () => Promise.resolve(folder), searchPath, clock, log: silentLogger },
      )
    }
    it('nothing is removed under a ticket that is being made when the last one is a minute old', async () => {
      const tickets = ticketsOf([`${kdc.host}:${kdc.port}`])
      try {
        await tickets.ticketFor('jane', 'localhost', never)
        clock.advance(ticketIdleMs - 1)
        const next = tickets.ticketFor('john', 'localhost', never)
        clock.advance(1)
        expect((await next).length).toBeGreaterThan(500)
        clock.advance(ticketIdleMs)
        await until(() => readdirSync(folder).length === 0)
      } finally {
        await tickets.close()
      }
    })

    it('a KDC that stops answering after the log-on of the service user is a problem that is shown', async () => {
      const way = await startMutableWay(kdc)
      const tickets = ticketsOf([`127.0.0.1:${way.port}`])
      try {
        await tickets.ticketFor('jane', 'localhost', never)
        way.isMute = true
        const connected = once(way.server, 'connection')
        const late = tickets.ticketFor('jane', 'localhost', never).catch((error: unknown) => error)
        await connected
        clock.advance(ticketMs)
        expect(await late).toMatchObject({ code: 'PRINCIPAL_NOT_ISSUED', message: 'the KDC does not answer in time' })
        expect(tickets.problem).toBe('the KDC does not answer in time')
      } finally {
        await tickets.close()
        way.close()
      }
    })
  })

  it('a request whose client leaves ends the program that asks the KDC for its ticket, and is nobody’s problem', async () => {
    using kvno = recordProgram('kvno')
    const way = await startMutableWay(kdc)
    try {
      const kdcHosts = [`127.0.0.1:${way.port}`]
      await start({ kerberos: kerberos({ kdcHosts }) }, {}, kvno.searchPath)
      expect((await ask()).status).toBe(200)
      way.isMute = true
      const before = kvno.pids.length
      const leaving = bench.raw({ principal: jane })
      leaving.write('GET / HTTP/1.1\r\nHost: s4.demo\r\n\r\n')
      await until(() => kvno.pids.length > before)
      const pid = kvno.pids.at(-1) ?? 0
      expect(isAlive(pid)).toBe(true)
      leaving.stream.reset('cancelled')
      await until(() => !isAlive(pid))
      expect(bench.connector.status.links[0]?.kerberos?.problem).toBe(undefined)
      way.isMute = false
      expect(remoteUser(await ask())).toBe('jane@ACME.TEST')
      expect(bench.logged.filter((line) => line.includes('request failed'))).toEqual([])
    } finally {
      way.close()
    }
  })

  it('many users at once get their own tickets', async () => {
    await start()
    const names = Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? 'jane' : 'john'))
    const answers = await Promise.all(names.map((name) => ask({ principal: principal(name) })))
    expect(answers.map(remoteUser)).toEqual(names.map((name) => `${name}@ACME.TEST`))
  })

  it('keytab and tickets are for the owner alone, nothing is left of a ticket, and of nothing after the end', async () => {
    await start()
    expect(existsSync(join(folder, 'tickets'))).toBe(false)
    expect((await ask()).status).toBe(200)
    const [own = ''] = readdirSync(join(folder, 'tickets'))
    const place = join(folder, 'tickets', own)
    expect(statSync(place).mode & 0o777).toBe(0o700)
    const names = readdirSync(place).toSorted()
    expect(names).toEqual(['krb5.conf', 'service.cache', 'service.keytab'])
    for (const name of names) expect(statSync(join(place, name)).mode & 0o077).toBe(0)
    // In the log-on of the service user is no ticket of anybody else.
    expect((await ask({ principal: john })).status).toBe(200)
    const { stdout } = await promisify(execFile)('klist', ['-c', join(place, 'service.cache')])
    expect(stdout).not.toMatch(/jane|john|HTTP/)
    expect(stdout.match(/\S+@ACME\.TEST$/gm)).toEqual(['svc-connector@ACME.TEST', 'krbtgt/ACME.TEST@ACME.TEST'])
    await bench.configure({ kerberos: kerberos({ userDomains: ['acme.example'] }), mappings: [mapping()] })
    await until(() => !existsSync(place))
    await bench.connector.stop({ graceMs: 0 })
    expect(existsSync(join(folder, 'tickets'))).toBe(false)
  })

  it('what a killed process has left is removed at the start, also without Kerberos settings', async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-kerberos-test-'))
    mkdirSync(join(folder, 'tickets', 'kerberos-left'), { recursive: true })
    writeFileSync(join(folder, 'tickets', 'kerberos-left', 'service.keytab'), keytab)
    bench = await startConnectorBench({ connector: {}, issuers: [trusted], kerberos: { folder: join(folder, 'tickets'), searchPath } })
    expect(existsSync(join(folder, 'tickets'))).toBe(false)
  })

  it('PP-032 without the CA certificates are not issued any more, and tickets are', async () => {
    const root = createTestCa({ subject: '/O=Test/CN=Root' })
    const userCa = createTestCa({ subject: '/O=Test/CN=User CA' })
    const own = root.issue({ subject: '/CN=connector system', names: [] })
    const server = root.issue({ subject: '/CN=backend' })
    await using other = await createHttpBackend({
      tls: { certificate: server.certificate, key: server.key, clientCa: root.certificate },
      answer: () => ({ body: 'ok' }),
    })
    const files = {
      'service.keytab': keytab,
      'root.pem': root.certificate,
      'ca.pem': userCa.certificate,
      'ca.key': userCa.key,
      'own.pem': own.certificate,
      'own.key': own.key,
    }
    const connector = {
      kerberos: kerberos(),
      backendTrust: { authorities: [{ file: 'root.pem' }] },
      systemCertificate: { certificate: { file: 'own.pem' }, key: { file: 'own.key' } },
      mappings: [mapping(), mappingTo(other.url, { virtual: 'x509.demo:443', principalType: 'X509_GENERAL' })],
    }
    await start({ ...connector, principalPropagation: { ca: { certificate: { file: 'ca.pem' }, key: { file: 'ca.key' } } } }, files)
    const both = async (): Promise<readonly number[]> => [(await ask({ host: 'x509.demo' })).status, (await ask()).status]
    expect(await both()).toEqual([200, 200])
    await bench.configure(connector, files)
    expect(await both()).toEqual([500, 200])
  })

  it.skipIf(process.getuid?.() !== 0)('PP-048 a KDC without port is asked on port 88', async () => {
    const host = `127.0.88.${(process.pid % 250) + 1}`
    await using own = await startKdc({
      commands: ['addprinc -randkey +ok_to_auth_as_delegate svc-connector', 'addprinc -randkey HTTP/localhost', 'addprinc -pw jane jane'],
      delegation: { 'svc-connector': ['HTTP/localhost'] },
      address: { host, port: 88 },
    })
    await using there = await startKerberosBackend(own, await own.keytab('HTTP/localhost'))
    await start(
      { kerberos: kerberos({ kdcHosts: [host] }), mappings: [mapping({}, there.port)] },
      { 'service.keytab': await own.keytab('svc-connector') },
    )
    expect(remoteUser(await ask())).toBe('jane@ACME.TEST')
    expect(own.log()).toContain('CONSTRAINED-DELEGATION s4u-client=jane@ACME.TEST')
  })

  it('no key, ticket or token appears in logs, events, audit entries or refusals', async () => {
    await start({ audit: { level: 'ALL' } })
    const answers = [await ask(), await ask({ principal: principal('nobody') }), await ask({ principal: principal('chief') })]
    const [passed, ...refused] = answers
    const shown = JSON.stringify([bench.logged, bench.events, bench.audit, refused.map(({ body }) => body)])
    const ticket = String(passed?.headers['x-authorization']).slice('Negotiate '.length)
    for (const secret of [ticket, ticket.slice(-100), keytab.toString('base64'), jane.token]) {
      expect(secret.length).toBeGreaterThan(20)
      expect(shown).not.toContain(secret)
    }
    // Logs do not name users.
    expect(JSON.stringify(bench.logged)).not.toMatch(/jane|nobody|chief/)
  })

  it('a machine without the programs says so', async () => {
    await start()
    await bench[Symbol.asyncDispose]()
    bench = await startConnectorBench({
      connector: { kerberos: kerberos(), mappings: [mapping()] },
      files: { 'service.keytab': keytab },
      issuers: [trusted],
      kerberos: { folder: join(folder, 'tickets'), searchPath: folder },
    })
    expect(await ask()).toMatchObject({
      status: 500,
      body: expect.stringContaining('kinit is not installed on the machine of the connector'),
    })
    expect(await bench.connector.checkBackend({ subaccount: 'demo', locationId: '' }, 's4.demo:443', never)).toMatchObject({
      reachable: false,
      detail: expect.stringContaining('is not installed on the machine of the connector'),
    })
  })
})
