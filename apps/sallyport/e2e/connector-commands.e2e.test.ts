import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { createServer as createSecureServer } from 'node:https'
import { join } from 'node:path'
import { createTestCa, createTestKeytab } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { subaccounts, writeConfiguration } from './company.ts'
import { createInstallation, type Installation, type Outcome } from './installation.ts'

/** The cloud side, and a connector that administrators configure, each in a process and a folder of its own. */
let cloud: Installation
let connector: string
let backend: Server
let internal: string
beforeAll(async () => {
  cloud = await createInstallation()
  connector = cloud.file('connector')
  backend = createServer((request, response) => void response.end(`hello ${request.url}`)).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  internal = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
  const orders = `{ type: TCP, subaccountId: demo, serviceId: orders, internalAddress: "${internal.slice('http://'.length)}" }`
  const services = `server: { serviceChannels: { clusterHosts: [cp.example.org], mappings: [${orders}] } }\n`
  const server = writeConfiguration(cloud.file('server.yaml'), `${subaccounts}${services}`)
  const offset = ['--port-offset', String(cloud.portOffset)]
  cloud.start(['serve', 'token-service,destination-service,connectivity-proxy', '--config', server, ...offset])
  cloud.start(['serve', 'connector', ...offset], { data: connector })
  await cloud.ready(3)
  await cloud.ready(1, { data: connector })
}, 60_000)
afterAll(async () => {
  await cloud?.run(['stop'], { data: connector })
  await cloud?.[Symbol.asyncDispose]()
  backend?.close()
})

/** A command of the connector's operating-system user, who gives no password. */
const run = (
  words: readonly string[],
  options: { readonly input?: string; readonly environment?: Record<string, string> } = {},
): Promise<Outcome> => cloud.run(words, { data: connector, ...options })
const json = async (words: readonly string[], options: { readonly input?: string } = {}): Promise<any> => {
  const outcome = await run(['--json', ...words], options)
  return { code: outcome.code, ...(JSON.parse(outcome.stdout) as object) }
}
const userToken = async (): Promise<string> => (await cloud.run(['token', 'issue', '--user', 'jane@acme.test', '--raw'])).stdout.trim()

const everythingBelow = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')

describe('a connector that has just been started', () => {
  it('is no error, and every refusal names the next command', async () => {
    const status = await run(['connector', 'status'])
    expect(status.code).toBe(0)
    expect(status.stdout).toMatch(/no subaccount yet.*change-role master.*subaccount add/s)
    expect(await json(['mapping', 'list'])).toMatchObject({
      code: 4,
      error: { code: 'ACCESS_DENIED', next: expect.stringContaining('change-role master') },
    })
    expect(await json(['connector', 'change-role', 'master'])).toMatchObject({ code: 0, role: 'master' })
    expect(await json(['resource', 'list', 'erp:80'])).toMatchObject({
      code: 1,
      error: { code: 'NOT_FOUND', next: expect.stringContaining('subaccount add') },
    })
  }, 30_000)

  it('is told from the cloud side by whoever asks the wrong process', async () => {
    const { error, code } = await json(['connector', 'code'])
    expect(code).toBe(1)
    expect(error.message).toContain('this is for the role connectivity-proxy')
    expect(error.message).toContain('connector only')
  })

  it('serves a subaccount after one command, and connects and disconnects it', async () => {
    const data = await cloud.run(['connector', 'code', '--subaccount', 'demo', '--authentication-data'])
    expect(
      await json(['connector', 'subaccount', 'add', '--authentication-data', '-', '--description', 'plant 7'], { input: data.stdout }),
    ).toMatchObject({
      code: 0,
      outcome: 'added',
      subaccount: 'demo',
      tunnel: { state: 'Connected' },
    })
    expect(await json(['connector', 'subaccount', 'disconnect'])).toMatchObject({ code: 0, outcome: 'disconnected' })
    expect((await json(['connector', 'subaccount', 'list'])).subaccounts).toMatchObject([
      { subaccount: 'demo', description: 'plant 7', tunnel: { state: 'Disconnected' } },
    ])
    const cut = await run(['connector', 'status'])
    expect([cut.code, cut.stdout]).toEqual([
      3,
      expect.stringMatching(/demo, location "": disconnected.*\n +next .*connector subaccount connect demo\n/),
    ])
    expect(await json(['connector', 'subaccount', 'connect', 'demo'])).toMatchObject({ code: 0 })
    expect(await json(['connector', 'subaccount', 'set', 'demo', '--display-name', 'Plant'])).toMatchObject({ code: 0, outcome: 'changed' })
    expect((await run(['connector', 'subaccount', 'list'])).stdout).toMatch(/demo .* Plant +Connected/)
    const again = await cloud.run(['connector', 'code', '--subaccount', 'demo', '--authentication-data'])
    expect(await json(['connector', 'subaccount', 'add', '--authentication-data', '-'], { input: again.stdout })).toMatchObject({
      code: 1,
      error: { next: expect.stringMatching(/subaccount list shows it; .*subaccount set <id> changes it$/) },
    })
    expect(await json(['connector', 'subaccount', 'remove', 'nope'])).toMatchObject({
      code: 1,
      error: { code: 'NOT_FOUND', next: expect.stringContaining('demo@') },
    })
  }, 60_000)
})

describe('access control', () => {
  it('mapping and resource add expose what a request then reaches; try says it before', async () => {
    const attempt = (path: string) => json(['mapping', 'try', 'plain.demo:80', path])
    expect(await attempt('/sap/x')).toMatchObject({ code: 4, allowed: false, refusal: { status: 403 } })
    expect(await json(['mapping', 'add', 'plain.demo:80', internal])).toMatchObject({ code: 0, outcome: 'added' })
    expect((await run(['mapping', 'try', 'plain.demo:80', '/sap/x'])).stdout).toMatch(
      /^refused .*\nmapping .*\nadmitted +nothing\nanswer +403 Access denied to resource[^\n]*\nnext .*resource add plain.demo:80 \/sap\/x\n$/s,
    )
    expect(await json(['resource', 'add', 'plain.demo:80', '/sap', '--sub-paths'])).toMatchObject({ code: 0 })
    expect(await attempt('/sap/x')).toMatchObject({ code: 0, allowed: true, resource: { id: '/sap', exactMatchOnly: false } })
    expect(await json(['mapping', 'add', 'PLAIN.demo:80', internal])).toMatchObject({
      code: 1,
      error: {
        code: 'CONFIGURATION_INVALID',
        next: expect.stringMatching(/mapping list shows it; .*mapping set PLAIN.demo:80 changes it$/),
      },
    })
    expect(await json(['resource', 'add', 'plain.demo:80', '/sap'])).toMatchObject({
      code: 1,
      error: { next: expect.stringMatching(/resource list plain.demo:80 shows it; .*resource set plain.demo:80 \/sap changes it$/) },
    })
    const sent = await cloud.json<any>(['curl', 'PLAIN_DEMO', '/sap/x'])
    expect(sent).toMatchObject({ ok: true, body: 'hello /sap/x' })
    expect(sent.hops.find(({ name }: any) => name === 'access')).toMatchObject({
      ok: true,
      lines: [expect.stringContaining('elsewhere'), expect.stringContaining('mapping try plain.demo:80 /sap/x')],
    })
    const known = await cloud.json<any>(['curl', 'PLAIN_DEMO', '/sap/x', '--connector', connector])
    expect(known.hops.find(({ name }: any) => name === 'access').lines[0]).toContain('resource /sap (path and sub-paths)')
  }, 60_000)

  it('set and remove change what was added, under connector as well; check asks the system itself', async () => {
    expect((await json(['connector', 'mapping', 'check', 'plain.demo:80'])).checked).toMatchObject([{ state: 'Reachable', internal }])
    expect(await json(['mapping', 'set', 'plain.demo:80', '--internal', 'http://127.0.0.1:1', '--description', 'nowhere'])).toMatchObject({
      code: 0,
    })
    expect(await json(['mapping', 'check'])).toMatchObject({ code: 1, checked: [{ state: 'Unreachable' }] })
    expect((await json(['mapping', 'list'])).mappings).toMatchObject([{ localPort: '1', description: 'nowhere', totalResourcesCount: 1 }])
    expect(await json(['resource', 'set', 'plain.demo:80', '/sap', '--no-enabled', '--exact', '--websocket'])).toMatchObject({ code: 0 })
    expect((await json(['connector', 'resource', 'list', 'plain.demo:80'])).resources).toMatchObject([
      { id: '/sap', enabled: false, exactMatchOnly: true, websocketUpgradeAllowed: true },
    ])
    expect(await json(['resource', 'remove', 'plain.demo:80', '..'])).toMatchObject({
      code: 2,
      error: { message: expect.stringContaining('no name of a resource') },
    })
    expect(await json(['resource', 'remove', 'plain.demo:80', '/sap'])).toMatchObject({ code: 0 })
    expect(await json(['mapping', 'remove', 'plain.demo:80'])).toMatchObject({ code: 0, outcome: 'removed' })
    expect((await json(['mapping', 'list'])).mappings).toEqual([])
    expect(await json(['mapping', 'add', 'plain.demo', internal])).toMatchObject({ code: 2, error: { code: 'USAGE' } })
    expect(await json(['mapping', 'add', 'a:80', 'ftp://b'])).toMatchObject({ code: 2 })
  }, 60_000)

  it('RFC has functions, clients and users, and try decides about them', async () => {
    const words = [
      'mapping',
      'add',
      'abap:sapgw00',
      'rfc://127.0.0.1:sapgw01',
      '--backend-type',
      'abapSys',
      '--allowed-client',
      '100',
      '--blocked-user',
      '100/SMITH',
    ]
    expect(await json(words)).toMatchObject({ code: 0 })
    expect(await json(['resource', 'add', 'abap:sapgw00', 'BAPI_', '--prefix'])).toMatchObject({ code: 0 })
    const attempt = (...more: readonly string[]) => json(['mapping', 'try', 'abap:sapgw00', ...more])
    expect(await attempt('--function', 'BAPI_X', '--client', '100', '--log-on', 'JONES')).toMatchObject({
      code: 0,
      resource: { id: 'BAPI_' },
    })
    expect(await attempt('--function', 'BAPI_X', '--client', '100', '--log-on', 'SMITH')).toMatchObject({
      code: 4,
      reason: 'the user is blocked',
    })
    expect(await attempt('--function', 'OTHER', '--client', '100', '--log-on', 'JONES')).toMatchObject({
      code: 4,
      admitted: [{ id: 'BAPI_' }],
    })
    await run(['mapping', 'remove', 'abap:sapgw00'])
  }, 60_000)

  it('scenarios and archives take resources along', async () => {
    await run(['mapping', 'add', 'a.demo:80', internal])
    await run(['mapping', 'add', 'b.demo:80', internal])
    for (const path of ['/one', '/two']) await run(['resource', 'add', 'a.demo:80', path])
    const [scenario, archive] = [cloud.file('scenario.zip'), cloud.file('mappings.zip')]
    expect(await json(['connector', 'scenario', 'export', 'a.demo:80', scenario, '--name', 'ones', '--resource', '/one'])).toMatchObject({
      code: 0,
    })
    expect(await json(['connector', 'scenario', 'import', 'b.demo:80', scenario])).toMatchObject({ code: 0 })
    expect((await json(['resource', 'list', 'b.demo:80'])).resources).toMatchObject([{ id: '/one' }])
    expect(await json(['connector', 'scenario', 'remove', 'b.demo:80', 'ones'])).toMatchObject({ code: 0 })
    expect((await json(['resource', 'list', 'b.demo:80'])).resources).toEqual([])
    expect(await json(['connector', 'config-export', archive])).toMatchObject({ code: 0 })
    expect(await json(['connector', 'config-export', archive])).toMatchObject({
      code: 2,
      error: { message: expect.stringContaining('there already') },
    })
    for (const name of ['', '.', '..']) {
      expect(await json(['connector', 'scenario', 'remove', 'b.demo:80', name])).toMatchObject({ code: 2 })
      expect(await json(['mapping', 'remove', name])).toMatchObject({
        code: 2,
        error: { message: expect.stringContaining('no name of a mapping') },
      })
    }
    expect(
      await json(['connector', 'scenario', 'export', 'a.demo:80', cloud.file('no.zip'), '--name', '..', '--resource', '/one']),
    ).toMatchObject({ code: 2, error: { message: expect.stringContaining('no name of a scenario') } })
    expect(existsSync(cloud.file('no.zip'))).toBe(false)
    const refused = cloud.file('refused.zip')
    expect(await json(['connector', 'scenario', 'export', 'none.demo:80', refused, '--name', 'x', '--resource', '/one'])).toMatchObject({
      code: 1,
    })
    expect(existsSync(refused)).toBe(false)
    expect(await json(['mapping', 'list', '--certificate', archive])).toMatchObject({
      code: 2,
      error: { message: expect.stringContaining('--url') },
    })
    await run(['mapping', 'remove', 'a.demo:80'])
    expect(await json(['connector', 'config-import', archive, '--no-resources'])).toMatchObject({ code: 0 })
    expect(await json(['connector', 'config-import', archive, '--mappings-only'])).toMatchObject({
      code: 1,
      error: { message: expect.stringContaining('access-control.json') },
    })
    expect(
      (await json(['mapping', 'list'])).mappings.map(({ totalResourcesCount, virtualHost }: any) => [virtualHost, totalResourcesCount]),
    ).toEqual([
      ['b.demo', 0],
      ['a.demo', 0],
    ])
  }, 60_000)
})

describe('service channels', () => {
  it('are added, enabled, disabled and removed by their number', async () => {
    const added = await json([
      'channel',
      'add',
      'K8S',
      'cp.example.org/orders',
      '--port',
      String(cloud.portOffset + 7),
      '--comment',
      'orders',
    ])
    expect(added).toMatchObject({ code: 0, type: 'K8S', enabled: false })
    const id = String(added.id)
    expect(await json(['channel', 'add', 'K8S', 'cp.example.org/other', '--port', String(cloud.portOffset + 7)])).toMatchObject({
      code: 1,
      error: {
        code: 'MESSAGE_INVALID',
        next: expect.stringMatching(new RegExp(`channel list shows that one, and .*channel remove ${id} `)),
      },
    })
    expect(await json(['connector', 'channel', 'enable', id])).toMatchObject({ code: 0, outcome: 'enabled' })
    expect((await json(['channel', 'list'])).channels).toMatchObject([{ id: added.id, state: 'open', comment: 'orders' }])
    expect(await json(['channel', 'disable', id])).toMatchObject({ code: 0, outcome: 'disabled' })
    expect(await json(['channel', 'remove', id])).toMatchObject({ code: 0 })
    expect(await json(['channel', 'remove', id])).toMatchObject({ code: 1, error: { code: 'NOT_FOUND' } })
    const port = String(cloud.portOffset + 7)
    const opened = await json(['channel', 'add', 'K8S', 'CP.example.org', '--service', 'orders', '--port', port, '--enable'])
    expect(opened).toMatchObject({ code: 0, enabled: true })
    expect((await json(['channel', 'list'])).channels).toMatchObject([{ id: opened.id, state: 'open' }])
    await run(['channel', 'remove', String(opened.id)])
    await using blocker = createTcpServer().listen(cloud.portOffset + 8, '127.0.0.1')
    await once(blocker, 'listening')
    const busy = await json(['channel', 'add', 'K8S', 'cp.example.org/orders', '--port', String(cloud.portOffset + 8), '--enable'])
    expect(busy).toMatchObject({
      code: 3,
      error: {
        message: expect.stringMatching(/^channel \d+ was added and is disabled: .*another channel or process listens there$/),
        next: expect.stringMatching(/channel enable \d+$/),
      },
    })
    const [{ id: left, enabled }] = (await json(['channel', 'list'])).channels
    expect(enabled).toBe(false)
    expect(await json(['channel', 'enable', String(left)])).toMatchObject({
      code: 3,
      error: { next: expect.stringContaining(`enable ${left}`) },
    })
    await run(['channel', 'remove', String(left)])
    expect(await json(['channel', 'add', 'HANA', 'db'])).toMatchObject({
      code: 2,
      error: { message: expect.stringContaining('--instance') },
    })
  }, 60_000)
})

describe('principals', () => {
  it('rules and authority decide what simulate tells; the token never is an argument', async () => {
    const token = await userToken()
    const simulate = (words: readonly string[] = []) => json(['principal', 'simulate', '--token', '-', ...words], { input: `${token}\n` })
    expect(await simulate()).toMatchObject({ code: 4, trusted: false, issuable: false })
    expect((await json(['principal', 'trust', 'synchronise'])).issuers).toMatchObject([{ enabled: true }])
    expect(await json(['principal', 'trust', 'deny', '1'])).toMatchObject({ code: 0 })
    expect(await simulate()).toMatchObject({ trusted: false, problem: expect.stringContaining('untrusted') })
    expect(await json(['principal', 'trust', 'allow', '1'])).toMatchObject({ code: 0 })
    expect(await simulate()).toMatchObject({
      code: 4,
      trusted: true,
      issuable: false,
      problem: expect.stringContaining('no CA certificate'),
    })
    expect(await json(['principal', 'ca', 'show'])).toMatchObject({ code: 1, error: { next: expect.stringContaining('ca generate') } })
    expect(await json(['principal', 'ca', 'generate', '--subject', 'CN=User CA,O=Acme', '--key-size', '2048'])).toMatchObject({
      code: 0,
      subjectDN: 'CN=User CA,O=Acme',
    })
    expect(await simulate()).toMatchObject({
      code: 0,
      rule: { index: 0 },
      certificate: { subjectDN: 'CN=jane@acme.test', issuer: 'CN=User CA,O=Acme' },
    })
    expect(await json(['principal', 'subject-pattern', 'add', 'CN=robot,O=Acme', '--when', 'user_type is Technical'])).toMatchObject({
      code: 0,
      index: 0,
    })
    expect(await json(['principal', 'subject-pattern', 'add', 'CN=${email},O=Acme', '--when', 'email exists'])).toMatchObject({
      code: 0,
      index: 1,
    })
    expect(await simulate()).toMatchObject({
      rule: { index: 1, condition: 'email exists' },
      certificate: { subjectDN: 'CN=jane@acme.test,O=Acme' },
    })
    expect(await simulate(['--technical'])).toMatchObject({ code: 4, trusted: false, problem: expect.stringContaining('that of a person') })
    expect(await json(['principal', 'subject-pattern', 'move', '1', '0'])).toMatchObject({ code: 0 })
    expect(await json(['principal', 'subject-pattern', 'set', '0', 'CN=${email}'])).toMatchObject({ code: 0 })
    expect((await json(['principal', 'subject-pattern', 'list'])).rules).toMatchObject([
      { index: 0, condition: 'email exists', subjectPattern: { CN: '${email}' } },
      { index: 1, condition: 'user_type is Technical' },
      { index: 2, condition: 'always true' },
    ])
    expect(await json(['principal', 'subject-pattern', 'remove', '2'])).toMatchObject({ code: 1 })
    expect(await json(['principal', 'subject-pattern', 'remove', '0'])).toMatchObject({ code: 0 })
    const file = cloud.file('token')
    writeFileSync(file, token)
    expect((await run(['principal', 'simulate', '--token', `@${file}`])).stdout).toMatch(
      /^user +jane@acme\.test\n.*subject +CN=jane@acme\.test\n/s,
    )
    const warned = await run(['principal', 'simulate', '--token', 'no.token.here'])
    expect([warned.code, warned.stderr]).toEqual([4, expect.stringContaining('others can see')])
    const log = everythingBelow(join(connector, 'connector', 'audit'))
    expect(log).toContain('access-simulated')
    expect(log).toContain('local:')
    expect(log).not.toContain(token.split('.')[2])
  }, 90_000)

  it('an authority is requested, signed elsewhere, taken over, imported with its key, and removed', async () => {
    const csr = cloud.file('ca.csr')
    expect(await json(['principal', 'ca', 'csr', '--subject', 'CN=Other CA', '--key-size', '2048', '--out', csr])).toMatchObject({
      code: 0,
    })
    // A second request would replace the key of the first one, which is imported below.
    expect(await json(['principal', 'ca', 'csr', '--subject', 'CN=Other CA', '--out', csr])).toMatchObject({
      code: 2,
      error: { message: expect.stringContaining('there already') },
    })
    const openssl = async (...words: readonly string[]): Promise<void> => {
      expect(await cloud.program('openssl', words)).toMatchObject({ code: 0 })
    }
    const file = (name: string): string => cloud.file(name)
    writeFileSync(file('ca.ext'), 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n')
    writeFileSync(file('p12-password'), 'secret')
    await openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=Root',
      '-keyout',
      file('root.key'),
      '-out',
      file('root.crt'),
    )
    await openssl(
      'x509',
      '-req',
      '-in',
      csr,
      '-CA',
      file('root.crt'),
      '-CAkey',
      file('root.key'),
      '-CAcreateserial',
      '-extfile',
      file('ca.ext'),
      '-out',
      file('signed.crt'),
    )
    await openssl(
      'pkcs12',
      '-export',
      '-inkey',
      file('root.key'),
      '-in',
      file('root.crt'),
      '-passout',
      'pass:secret',
      '-out',
      file('root.p12'),
    )
    const der = cloud.file('ca.der')
    expect(await json(['principal', 'ca', 'show', '--out', der])).toMatchObject({ code: 0, subjectDN: 'CN=User CA,O=Acme' })
    expect(readFileSync(der)[0]).toBe(0x30)
    expect(await json(['principal', 'ca', 'import', '--signed', file('signed.crt')])).toMatchObject({
      code: 0,
      subjectDN: 'CN=Other CA',
      issuer: 'CN=Root',
    })
    const pkcs12 = ['principal', 'ca', 'import', '--pkcs12', file('root.p12'), '--pkcs12-password-file']
    expect(await json([...pkcs12, file('root.crt')])).toMatchObject({ code: 1 })
    expect(await json([...pkcs12, file('p12-password')])).toMatchObject({ code: 0, subjectDN: 'CN=Root' })
    expect(await json(['principal', 'ca', 'remove'])).toMatchObject({ code: 0 })
    expect(await json(['principal', 'ca', 'import'])).toMatchObject({ code: 2 })
  }, 30_000)
})

describe('towards back ends', () => {
  it('the certificate of a back end is trusted by its file, and check says so where it is not', async () => {
    const ca = createTestCa()
    const identity = ca.issue({ subject: '/CN=localhost' })
    const secure = createSecureServer({ key: identity.key, cert: identity.certificate }, (_request, response) => void response.end())
    await once(secure.listen(0, '127.0.0.1'), 'listening')
    const { port } = secure.address() as AddressInfo
    await run(['mapping', 'add', 'secure.demo:443', `https://localhost:${port}`])
    expect(await json(['mapping', 'check', 'secure.demo:443'])).toMatchObject({
      code: 1,
      checked: [{ state: 'Unreachable', code: 'BACKEND_UNTRUSTED', next: expect.stringMatching(/connector backend-trust add <file>$/) }],
    })
    expect((await run(['mapping', 'check', 'secure.demo:443'])).stdout).toMatch(/\nNext: .*connector backend-trust add <file>\n$/)
    writeFileSync(cloud.file('backend.pem'), ca.certificate)
    const trust = (...words: readonly string[]) => json(['connector', 'backend-trust', ...words])
    const { code, trustedBackends } = await trust('add', cloud.file('backend.pem'))
    expect([code, trustedBackends]).toEqual([0, [expect.objectContaining({ alias: expect.stringMatching(/^trustedbackend/) })]])
    expect(await json(['mapping', 'check', 'secure.demo:443'])).toMatchObject({ code: 0, checked: [{ state: 'Reachable' }] })
    expect(await trust('add', cloud.file('backend.pem'))).toMatchObject({
      code: 1,
      error: { message: expect.stringContaining('trusted already'), next: expect.stringContaining('backend-trust list') },
    })
    expect(await trust('set', '--all')).toMatchObject({ code: 0, trustAllBackends: true })
    expect((await run(['connector', 'backend-trust', 'list'])).stdout).toMatch(/^Every certificate is trusted.*\nALIAS +SUBJECT/s)
    expect(await trust('set', '--no-all')).toMatchObject({ code: 0, trustAllBackends: false })
    expect(await trust('remove', '..')).toMatchObject({ code: 2 })
    expect(await trust('remove', trustedBackends[0].alias)).toMatchObject({ code: 0, outcome: 'removed' })
    expect(await trust('remove', trustedBackends[0].alias)).toMatchObject({ code: 1, error: { code: 'NOT_FOUND' } })
    expect(await trust('list')).toMatchObject({ trustAllBackends: false, trustedBackends: [] })
    await run(['mapping', 'remove', 'secure.demo:443'])
    secure.close()
  }, 60_000)

  it('the system certificate is made, requested, shown, saved and removed', async () => {
    const system = (...words: readonly string[]) => json(['connector', 'system-certificate', ...words])
    const [der, csr] = [cloud.file('system.der'), cloud.file('system.csr')]
    expect(await system('show')).toMatchObject({ code: 1, error: { next: expect.stringContaining('system-certificate generate') } })
    expect(await system('generate', '--subject', 'CN=connector,O=Acme', '--key-size', '2048', '--validity', '30')).toMatchObject({
      code: 0,
      subjectDN: 'CN=connector,O=Acme',
    })
    const shown = await system('show', '--out', der)
    expect(shown).toMatchObject({ code: 0, file: der })
    expect(shown.notAfterTimeStamp - Date.now()).toBeLessThan(31 * 86_400_000)
    expect(new X509Certificate(readFileSync(der)).subject).toBe('O=Acme\nCN=connector')
    expect(await system('csr', '--subject', 'CN=other', '--key-size', '2048', '--out', csr)).toMatchObject({ code: 0, file: csr })
    expect(readFileSync(csr, 'utf8')).toContain('BEGIN CERTIFICATE REQUEST')
    expect(await system('import', '--signed', csr)).toMatchObject({ code: 1, error: { code: 'MESSAGE_INVALID' } })
    expect(await system('remove')).toMatchObject({ code: 0, outcome: 'removed' })
  }, 60_000)

  it('Kerberos settings are made, changed one by one, checked and forgotten, and the key is never shown', async () => {
    const kerberos = (...words: readonly string[]) => json(['connector', 'kerberos', ...words])
    writeFileSync(cloud.file('keytab'), createTestKeytab([{ principal: 'svc@ACME.TEST', encryption: 18 }]))
    expect(await kerberos('show')).toMatchObject({ code: 1, error: { next: expect.stringContaining('kerberos set') } })
    expect(await kerberos('set')).toMatchObject({ code: 2 })
    const place = ['--realm', 'ACME.TEST', '--kdc', '127.0.0.1:1', '--service-user', 'svc', '--keytab', cloud.file('keytab')]
    // There is no KDC, or not even its client, which is told and does not hinder.
    expect(await kerberos('set', ...place)).toMatchObject({ code: 1, outcome: 'changed', realm: 'ACME.TEST', problem: expect.any(String) })
    expect(await kerberos('set', '--user-domain', 'acme.example')).toMatchObject({ code: 1, outcome: 'changed', kdcHosts: ['127.0.0.1:1'] })
    expect(await kerberos('check')).toMatchObject({ code: 1, problem: expect.any(String) })
    expect(await kerberos('show')).toMatchObject({ code: 0, userDomains: ['acme.example'], keytab: [{ principal: 'svc@ACME.TEST' }] })
    expect((await run(['connector', 'kerberos', 'show'])).stdout).toMatch(/^realm +ACME\.TEST\n.*keytab +svc@ACME\.TEST\n$/s)
    expect(await kerberos('set', '--service-user', 'other')).toMatchObject({
      code: 1,
      error: { message: expect.stringContaining('keytab') },
    })
    expect(await kerberos('remove')).toMatchObject({ code: 0 })
    expect(await kerberos('check')).toMatchObject({ code: 1, error: { code: 'NOT_FOUND' } })
  }, 60_000)

  it('regions are added, changed and removed, and those that everybody knows are listed too', async () => {
    const region = (...words: readonly string[]) => json(['connector', 'region', ...words])
    const authority = join(cloud.data, 'ca.crt')
    expect(await region('add', 'cf.own.example', '--server', 'https://cloud.example.org:8041', '--authority', authority)).toMatchObject({
      code: 0,
      outcome: 'added',
    })
    expect(await region('add', 'CF.own.example')).toMatchObject({
      code: 1,
      error: { next: expect.stringMatching(/region list shows it; .*region set CF.own.example changes it$/) },
    })
    expect(await region('set', 'cf.own.example', '--name', 'Own')).toMatchObject({ code: 0 })
    const { regions } = await region('list')
    expect(regions.filter(({ custom }: any) => custom)).toMatchObject([{ host: 'cf.own.example', name: 'Own' }])
    expect(regions).toContainEqual(expect.objectContaining({ host: 'cf.eu10.hana.ondemand.com', custom: false }))
    expect(await region('set', 'cf.own.example', '--server', 'http://cloud.example.org')).toMatchObject({ code: 1 })
    expect(await region('remove', 'cf.own.example')).toMatchObject({ code: 0 })
    expect(await region('remove', 'cf.own.example')).toMatchObject({ code: 1, error: { next: expect.stringContaining('region list') } })
  }, 60_000)
})

describe('pairing on the command line', () => {
  it('takes the location from the file, and does not use the code where the file leaves a choice', async () => {
    const { code } = await cloud.json<{ readonly code: string }>(['connector', 'code', '--subaccount', 'demo'])
    const init = async (...locations: readonly string[]) => {
      const config = writeConfiguration(
        cloud.file('paired.yaml'),
        JSON.stringify({ version: 1, connectors: locations.map((locationId) => ({ locationId, mappings: [] })) }),
      )
      const server = ['--server', `https://localhost:${cloud.port('connectivityApi')}`, '--authority', join(cloud.data, 'ca.crt')]
      const outcome = await cloud.run(['--json', 'connector', 'init', ...server, '--config', config], {
        data: cloud.file('paired'),
        environment: { SALLYPORT_PAIRING_CODE: code },
      })
      return { code: outcome.code, ...(JSON.parse(outcome.stdout) as object) }
    }
    expect(await init('plant', 'office')).toMatchObject({
      code: 1,
      error: { message: expect.stringContaining('"plant", "office"'), next: expect.stringContaining('--location') },
    })
    expect(await init('plant')).toMatchObject({ code: 0, subaccount: 'demo', locationId: 'plant' })
  }, 60_000)
})
