import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { createTestIssuer } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Company, startCompany, writeConfiguration } from './company.ts'
import { type EchoBackend, startEchoBackend } from './echo-backend.ts'
import { createInstallation, type Installation } from './installation.ts'
import { type MailBackend, startMailBackend } from './mail-backend.ts'

const partners = '/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner'
const client = (name: string): string => join(import.meta.dirname, 'clients', `${name}.mjs`)

let stack: Installation
let company: Company
let backend: EchoBackend
let mail: MailBackend
let silent: Server

beforeAll(async () => {
  stack = await createInstallation()
  company = await startCompany(stack.folder)
  backend = await startEchoBackend()
  mail = await startMailBackend()
  silent = createServer((socket) => socket.on('error', () => {}).resume())
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const mappings = `      - { virtual: "mail.demo:25", internal: "tcp://127.0.0.1:${mail.port}" }
      - { virtual: "down.demo:80", internal: "http://127.0.0.1:1", resources: [{ path: /, subPaths: true }] }
      - { virtual: "silent.demo:80", internal: "http://127.0.0.1:${(silent.address() as AddressInfo).port}", resources: [{ path: /, subPaths: true }] }
`
  const onPremise = 'Type: HTTP, ProxyType: OnPremise'
  const internet = 'Type: HTTP, ProxyType: Internet'
  const file = writeConfiguration(
    stack.file('sallyport.yaml'),
    `version: 1
subaccounts:
  - id: demo
    users:
      - { name: jane@acme.test, givenName: Jane, familyName: Roe, groups: [sales], attributes: { country: DE } }
      - { name: john@acme.test }
    destinations:
      - { Name: S4, ${onPremise}, URL: "http://s4.demo:443", Authentication: PrincipalPropagation }
      - { Name: UNMAPPED, ${onPremise}, URL: "http://unmapped.demo:80", Authentication: NoAuthentication }
      - { Name: DOWN, ${onPremise}, URL: "http://down.demo:80", Authentication: NoAuthentication }
      - { Name: SILENT, ${onPremise}, URL: "http://silent.demo:80", Authentication: NoAuthentication }
      - { Name: NET_BASIC, ${internet}, URL: "${backend.url}", Authentication: BasicAuthentication, User: robot, Password: "p:ss" }
      - { Name: PROVIDER_ONLY, ${internet}, URL: "${backend.url}/provider", Authentication: NoAuthentication }
      - { Name: BOTH, ${internet}, URL: "${backend.url}/provider", Authentication: NoAuthentication }
      - { Name: POST, Type: MAIL, ProxyType: OnPremise, Authentication: BasicAuthentication, mail.smtp.host: mail.demo, mail.smtp.port: "25", mail.user: robot, mail.password: "p:ss", mail.from: robot@acme.test, mail.transport.protocol: smtp }
      - { Name: POST_ELSEWHERE, Type: MAIL, ProxyType: OnPremise, Authentication: BasicAuthentication, mail.smtp.host: nobody.demo, mail.smtp.port: "25", mail.user: robot, mail.password: "p:ss", mail.from: robot@acme.test }
  - id: buyer
    users: [{ name: eve@buyer.test }]
    destinations:
      - { Name: BOTH, ${internet}, URL: "${backend.url}/subscriber", Authentication: NoAuthentication }
      - { Name: SUBSCRIBER_ONLY, ${internet}, URL: "${backend.url}/subscriber", Authentication: NoAuthentication }
${company.connectors({ mappings, settings: '    backendResponseTimeoutSeconds: 1\n' })}`,
  )
  await stack.dev(['--config', file])
}, 60_000)
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
  await company[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
  await mail[Symbol.asyncDispose]()
  silent.close()
})

const tokenOf = async (user: string, tenant = 'demo'): Promise<string> =>
  (await stack.run(['token', 'issue', '--user', user, '--tenant', tenant, '--raw'])).stdout.trim()

/** Runs a script with the bindings and gives what it printed last as JSON. */
async function execute<T>(script: string, ...args: readonly string[]): Promise<T> {
  const outcome = await stack.run(['exec', '--', process.execPath, client(script), ...args])
  const line = outcome.stdout
    .trim()
    .split('\n')
    .findLast((text) => /^[[{]/.test(text))
  if (line === undefined) throw new Error(`${script} ended with ${outcome.code}: ${outcome.stdout}${outcome.stderr}`)
  return JSON.parse(line) as T
}

interface Call {
  readonly destinationName: string
  readonly url: string
  readonly jwt?: string
  readonly method?: string
  readonly data?: unknown
  readonly selectionStrategy?: string
}

interface Outcome {
  readonly status?: number
  readonly data?: { readonly path?: string; readonly headers?: Record<string, string>; readonly d?: unknown }
  readonly error?: string
}

describe.each(['4', '3'])('the unmodified SAP Cloud SDK %s', (version) => {
  const call = (calls: readonly Call[]): Promise<readonly Outcome[]> => execute('cloud-sdk-calls', version, JSON.stringify(calls))

  it('reaches the on-premise system as the user, reading and writing', async () => {
    const jwt = await tokenOf('jane@acme.test')
    const [read, write] = await call([
      { destinationName: 'S4', url: `${partners}?$top=1`, jwt },
      { destinationName: 'S4', url: partners, jwt, method: 'post', data: { BusinessPartnerFullName: 'Moat Services', Country: 'AT' } },
    ])
    expect(read).toMatchObject({ status: 200, data: { d: { loggedOnUser: 'jane@acme.test' } } })
    expect(write).toMatchObject({ status: 201, data: { d: { CreatedByUser: 'jane@acme.test' } } })
  })

  it('looks at the subscriber first, then at the provider, as the strategy says', async () => {
    const jwt = await tokenOf('eve@buyer.test', 'buyer')
    const expected = [
      ['BOTH', undefined, '/subscriber/x'],
      ['BOTH', 'subscriberFirst', '/subscriber/x'],
      ['BOTH', 'alwaysProvider', '/provider/x'],
      ['PROVIDER_ONLY', undefined, '/provider/x'],
      ['PROVIDER_ONLY', 'alwaysSubscriber', 'no destination PROVIDER_ONLY'],
      ['SUBSCRIBER_ONLY', 'alwaysProvider', 'no destination SUBSCRIBER_ONLY'],
    ] as const
    const outcomes = await call(
      expected.map(([destinationName, selectionStrategy]) => ({
        destinationName,
        url: '/x',
        jwt,
        ...(selectionStrategy === undefined ? {} : { selectionStrategy }),
      })),
    )
    expect(outcomes.map(({ data, error }) => error ?? data?.path)).toEqual(expected.map(([, , path]) => path))
  })
})

describe('the unmodified SAP Cloud SDK 4 with the token of an identity service', () => {
  it('CL-085 finds the tenant in app_tid where the issuer is no name it knows', async () => {
    const issuer = createTestIssuer({ issuer: 'https://company.identity.example' })
    const jwt = issuer.user('eve@buyer.test', { zid: undefined, ext_attr: undefined, app_tid: 'buyer' })
    const calls = [{ destinationName: 'BOTH', url: '/x', jwt }]
    const [outcome] = await execute<readonly Outcome[]>('cloud-sdk-calls', '4', JSON.stringify(calls))
    expect(outcome?.error ?? outcome?.data?.path).toBe('/subscriber/x')
  })
})

describe('clients that wait as long as nobody tells them', () => {
  it('CL-133 the SAP Cloud SDK, which has no limit of its own, is told of a backend that is down or silent', async () => {
    const calls = ['DOWN', 'SILENT'].map((destinationName) => ({ destinationName, url: '/x' }))
    const outcomes = await execute<readonly Outcome[]>('cloud-sdk-calls', '4', JSON.stringify(calls))
    expect(outcomes.map(({ status }) => status)).toEqual([502, 504])
  })

  it('CL-146 the mail client, which ends with its process, says what the proxy said', async () => {
    const words = ['exec', '--', process.execPath, client('mail-client'), 'POST_ELSEWHERE', await tokenOf('jane@acme.test')]
    const outcome = await stack.run(words)
    expect(outcome.code).not.toBe(0)
    expect(outcome.stdout + outcome.stderr).toContain('Socks5 proxy rejected connection - NotAllowed')
  })
})

describe('other unmodified clients', () => {
  it('@sap/xssec 3 accepts user and technical tokens, and exchanges them', async () => {
    expect(await execute('xssec-3', await tokenOf('jane@acme.test'))).toEqual({
      user: 'jane@acme.test',
      email: 'jane@acme.test',
      tenant: 'demo',
      grant: 'password',
      sales: true,
      country: ['DE'],
      exchangedUser: 'jane@acme.test',
      technicalGrant: 'client_credentials',
    })
  })

  it('CL-150 CL-151 the mail client sends through SOCKS5 with the user of the MAIL destination', async () => {
    const sent = await execute<readonly { accepted: string[]; response: string }[]>('mail-client', 'POST', await tokenOf('jane@acme.test'))
    expect(sent).toEqual([{ accepted: ['john@acme.test'], response: '250 queued' }])
    expect(mail.received).toHaveLength(1)
    expect(mail.received[0]).toMatchObject({ user: 'robot:p:ss', from: expect.stringContaining('robot@acme.test') })
    expect(mail.received[0]?.text).toContain('Subject: Through the gate')
  })
})

describe('an unmodified CAP service', () => {
  let service: ChildProcess
  let url: string
  let said = ''
  beforeAll(async () => {
    const serve = createRequire(import.meta.url).resolve('@sap/cds/bin/serve.js')
    const project = join(import.meta.dirname, 'clients', 'cap-service')
    service = stack.startProgram(['exec', '--', process.execPath, serve, '--project', project, '--port', '0'], { NODE_ENV: 'production' })
    service.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
    url = await new Promise((resolve, reject) => {
      service.once('exit', (code) => reject(new Error(`the service ended with ${code}: ${said}`)))
      service.stdout?.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4_000)
        const address = /http:\/\/localhost:\d+/.exec(said)?.[0]
        if (address !== undefined) resolve(address)
      })
    })
  }, 40_000)
  afterAll(async () => {
    if (service.exitCode !== null) return
    service.kill()
    await once(service, 'exit')
  })

  const ask = async (path: string, jwt: string | undefined, body?: unknown): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${url}/partners/${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...(jwt === undefined ? {} : { authorization: `Bearer ${jwt}` }) },
    })
    const text = await answer.text()
    return { status: answer.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text }
  }

  it('CL-170 accepts user tokens and calls on-premise systems as the user, with nothing but the bindings and the authority', async () => {
    const jwt = await tokenOf('jane@acme.test')
    expect(await ask('ping()', jwt), said).toEqual({
      status: 200,
      body: expect.objectContaining({ user: 'jane@acme.test', tenant: 'demo', loggedOn: 'jane@acme.test' }),
    })
    expect(await ask('first()', jwt), said).toMatchObject({ status: 200, body: [{ BusinessPartner: '1000001' }] })
    expect(await ask('addPartner', jwt, { name: 'Drawbridge Ltd' }), said).toMatchObject({
      status: 200,
      body: { BusinessPartnerFullName: 'Drawbridge Ltd', CreatedByUser: 'jane@acme.test' },
    })
  })

  it('refuses requests without a token, with a foreign one, and without the role', async () => {
    expect((await ask('ping()', undefined)).status).toBe(401)
    expect((await ask('ping()', `${await tokenOf('jane@acme.test')}x`)).status).toBe(401)
    expect((await ask('forSales()', await tokenOf('john@acme.test'))).status).toBe(403)
    expect((await ask('forSales()', await tokenOf('jane@acme.test'))).status).toBe(200)
  })

  it('calls systems in the Internet with the credentials of the destination, and reports a refusal of the proxy as 502', async () => {
    const jwt = await tokenOf('jane@acme.test')
    expect(await ask('internet()', jwt), said).toMatchObject({
      status: 200,
      body: { path: '/some/where', authorization: `Basic ${Buffer.from('robot:p:ss').toString('base64')}` },
    })
    expect((await ask('unreachable()', jwt)).status).toBe(502)
  })
})
