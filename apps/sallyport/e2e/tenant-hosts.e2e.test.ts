import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Approuter, startApprouter } from './approuter.ts'
import { claimsOf } from './authentication-world.ts'
import { createBrowser } from './browser.ts'
import { type Company, startCompany, writeConfiguration } from './company.ts'
import { type Echo, type EchoBackend, startEchoBackend } from './echo-backend.ts'
import { freePort } from './free-port.ts'
import './hosts.mjs'
import { createInstallation, type Installation } from './installation.ts'

const password = 'correct horse battery'
const client = (name: string): string => join(import.meta.dirname, 'clients', `${name}.mjs`)
const environment = { NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'hosts.mjs')).href}` }

/** A stack whose tenants have host names, as with DNS for `*.authentication.sallyport.test`. */
async function startStack(
  backend: EchoBackend,
  company: (stack: Installation) => Promise<Company>,
  credentials: 'binding-secret' | 'x509',
) {
  const stack = await createInstallation({ environment })
  const port = stack.port('tokenService')
  const httpPort = await freePort()
  const uaadomain = `authentication.sallyport.test:${port}`
  const network = await company(stack)
  const internet = 'Type: HTTP, ProxyType: Internet'
  const file = writeConfiguration(
    stack.file('sallyport.yaml'),
    `version: 1
subaccounts:
  - id: 11111111-aaaa
    subdomain: acme
    users: [{ name: jane@acme.test, password: "${password}" }]
    destinations:
      - { Name: S4, Type: HTTP, ProxyType: OnPremise, URL: "http://s4.demo:443", Authentication: PrincipalPropagation }
      - { Name: BOTH, ${internet}, URL: "${backend.url}/provider", Authentication: NoAuthentication }
      - { Name: PROVIDER_ONLY, ${internet}, URL: "${backend.url}/provider", Authentication: NoAuthentication }
  - id: 22222222-bbbb
    subdomain: buyer
    users: [{ name: eve@buyer.test, password: "${password}" }]
    destinations:
      - { Name: BOTH, ${internet}, URL: "${backend.url}/subscriber", Authentication: NoAuthentication }
server:
  tokenService: { url: "https://${uaadomain}", tenantHosts: true, httpPort: ${httpPort}, credentials: ${credentials} }
  destinationService: { allowPrivateTokenServices: true }
${network.connectors()}`,
  )
  await stack.dev(['--config', file])
  return { stack, network, uaadomain, httpPort, bindings: bindingsOf(stack) }
}

function bindingsOf(stack: Installation): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const file = JSON.parse(readFileSync(join(stack.data, 'default-env.json'), 'utf8')) as {
    VCAP_SERVICES: Record<string, readonly { readonly credentials: Record<string, string> }[]>
  }
  return Object.fromEntries(Object.entries(file.VCAP_SERVICES).map(([label, [binding]]) => [label, binding?.credentials ?? {}]))
}

async function tokenOf(stack: Installation, user: string, tenant: string): Promise<string> {
  return (await stack.run(['token', 'issue', '--user', user, '--tenant', tenant, '--raw'])).stdout.trim()
}

async function execute<T>(stack: Installation, script: string, ...args: readonly string[]): Promise<T> {
  const outcome = await stack.run(['exec', '--', process.execPath, client(script), ...args])
  const line = outcome.stdout.split('\n').findLast((text) => /^[[{]/.test(text))
  if (line === undefined) throw new Error(`${script} ended with ${outcome.code}: ${outcome.stdout}${outcome.stderr}`)
  return JSON.parse(line) as T
}

interface Outcome {
  readonly data?: Echo & { readonly user?: string }
  readonly error?: string
}

let backend: EchoBackend
beforeAll(async () => {
  backend = await startEchoBackend()
})
afterAll(async () => backend[Symbol.asyncDispose]())

describe.each(['binding-secret', 'x509'] as const)('tenants with host names and clients with a %s', (credentials) => {
  let world: Awaited<ReturnType<typeof startStack>>
  beforeAll(async () => {
    world = await startStack(backend, (stack) => startCompany(stack.folder), credentials)
  }, 60_000)
  afterAll(async () => {
    await world.stack[Symbol.asyncDispose]()
    await world.network[Symbol.asyncDispose]()
  })

  it('CL-190 the bindings name host and subdomain of the tenant, and the screen names the authority for Node', () => {
    for (const binding of Object.values(world.bindings)) {
      expect(binding).toMatchObject({ url: `https://acme.${world.uaadomain}`, uaadomain: world.uaadomain, identityzone: 'acme' })
    }
    const screen = readFileSync(join(world.stack.data, 'log', 'dev.out'), 'utf8')
    expect(screen).toMatch(new RegExp(`${join(world.stack.data, 'ca.crt')}.*NODE_EXTRA_CA_CERTS`))
  })

  it('CL-023 one listener answers under every host name, with a certificate for all of them', async () => {
    const [host = '', port = ''] = world.uaadomain.split(':')
    const ca = readFileSync(join(world.stack.data, 'ca.crt'), 'utf8')
    const certHost = host.replace('authentication.', 'authentication.cert.')
    for (const servername of [host, `acme.${host}`, `buyer.${host}`, certHost, `acme.${certHost}`, 'localhost']) {
      const socket = connect({ host: '127.0.0.1', port: Number(port), ca, servername })
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
      expect(socket.authorized, servername).toBe(true)
      socket.end()
    }
  })

  it('CL-191 the same keys are there without TLS, on this machine', async () => {
    const plain = (await (await fetch(`http://127.0.0.1:${world.httpPort}/token_keys`)).json()) as { keys: { kid: string }[] }
    const token = await tokenOf(world.stack, 'jane@acme.test', '11111111-aaaa')
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8')) as { kid: string }
    expect(plain.keys.map(({ kid }) => kid)).toContain(header.kid)
  })

  it(`${credentials === 'x509' ? 'CL-008' : 'CL-007'} credentials are of their type, and only of that`, () => {
    for (const binding of Object.values(world.bindings)) {
      expect(binding['credential-type']).toBe(credentials)
      expect(Object.keys(binding).filter((name) => ['clientsecret', 'certificate', 'key', 'certurl'].includes(name))).toEqual(
        credentials === 'x509' ? ['certificate', 'key', 'certurl'] : ['clientsecret'],
      )
    }
  })

  describe.each(['4', '3'])('SAP Cloud SDK %s', (version) => {
    const call = (calls: readonly Readonly<Record<string, string>>[]): Promise<readonly Outcome[]> =>
      execute(world.stack, 'cloud-sdk-calls', version, JSON.stringify(calls))

    it(`CL-020 ${credentials === 'x509' ? 'CL-008 ' : ''}DS-140 finds the tenant by the user's token, by the issuer, and the subscriber's destination before the provider's`, async () => {
      const jwt = await tokenOf(world.stack, 'eve@buyer.test', '22222222-bbbb')
      const iss = `https://buyer.${world.uaadomain}/oauth/token`
      const outcomes = await call([
        { destinationName: 'BOTH', url: '/x', jwt },
        { destinationName: 'BOTH', url: '/x', iss },
        { destinationName: 'PROVIDER_ONLY', url: '/x', jwt },
        { destinationName: 'BOTH', url: '/x', jwt, selectionStrategy: 'alwaysProvider' },
        { destinationName: 'S4', url: '/sap/bc/ping', jwt: await tokenOf(world.stack, 'jane@acme.test', '11111111-aaaa') },
      ])
      expect(outcomes.map(({ data, error }) => error ?? data?.path ?? data?.user)).toEqual([
        '/subscriber/x',
        '/subscriber/x',
        '/provider/x',
        '/provider/x',
        'jane@acme.test',
      ])
    })
  })

  it('@sap/xssec 4 and 3 accept tokens of the tenant and exchange them', async () => {
    const jwt = await tokenOf(world.stack, 'jane@acme.test', '11111111-aaaa')
    expect(await execute(world.stack, 'xssec', jwt)).toMatchObject({ user: 'jane@acme.test', tenant: '11111111-aaaa' })
    expect(await execute(world.stack, 'xssec-3', jwt)).toMatchObject({ user: 'jane@acme.test', exchangedUser: 'jane@acme.test' })
  })

  it('our own commands use the credentials as well', async () => {
    expect((await world.stack.run(['curl', 'S4', '/sap/bc/ping', '--user', 'jane@acme.test'])).stdout).toContain('"user":"jane@acme.test"')
    expect(claimsOf((await world.stack.run(['token', 'issue', '--client', 'destination', '--raw'])).stdout)).toMatchObject({
      grant_type: credentials === 'x509' ? 'client_x509' : 'client_credentials',
      zid: '11111111-aaaa',
    })
  })

  describe('the application router 23', () => {
    let router: Approuter
    beforeAll(async () => {
      router = await startApprouter(world.stack, 'approuter23', {
        authenticationMethod: 'route',
        routes: [
          { source: '^/s4/(.*)$', target: '$1', destination: 'S4', authenticationType: 'xsuaa' },
          { source: '^/both/(.*)$', target: '$1', destination: 'BOTH', authenticationType: 'xsuaa' },
        ],
      })
    }, 40_000)
    afterAll(async () => router[Symbol.asyncDispose]())

    it('CL-161 logs on at the host of the tenant and uses its destinations', async () => {
      const browser = createBrowser({ authority: join(world.stack.data, 'ca.crt') })
      const page = await browser.open(`${router.url}/both/x`)
      expect(page.url.host).toBe(`acme.${world.uaadomain}`)
      const back = await browser.submit(page, { username: 'jane@acme.test', password })
      expect(back.status, router.output()).toBe(200)
      expect(JSON.parse(back.text)).toMatchObject({ path: '/provider/x' })
      expect((await browser.open(`${router.url}/s4/sap/bc/ping`)).text).toContain('"user":"jane@acme.test"')
    })
  })
})

describe('a token service that tenants share', () => {
  let world: Awaited<ReturnType<typeof startStack>>
  beforeAll(async () => {
    world = await startStack(backend, (stack) => startCompany(stack.folder), 'binding-secret')
  }, 60_000)
  afterAll(async () => {
    await world.stack[Symbol.asyncDispose]()
    await world.network[Symbol.asyncDispose]()
  })

  it('CL-092 is asked for the tenant that X-tenant names, as the SDK sends it for a subscriber', async () => {
    const { clientid = '', clientsecret = '' } = world.bindings['xsuaa'] ?? {}
    for (const [name, url] of [
      ['COMMON', `https://${world.uaadomain}/oauth/token`],
      ['COMMON_PLACEHOLDER', `https://{tenant}.${world.uaadomain}/oauth/token`],
    ]) {
      const properties = {
        URL: backend.url,
        Authentication: 'OAuth2ClientCredentials',
        tokenServiceURLType: 'Common',
        tokenServiceURL: url,
      }
      const set = [
        'destination',
        'set',
        `Name=${name}`,
        'Type=HTTP',
        'ProxyType=Internet',
        `clientId=${clientid}`,
        `clientSecret=${clientsecret}`,
      ]
      const outcome = await world.stack.run([...set, ...Object.entries(properties).map(([key, value]) => `${key}=${value}`)])
      expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0)
    }
    const jwt = await tokenOf(world.stack, 'eve@buyer.test', '22222222-bbbb')
    const calls = ['COMMON', 'COMMON_PLACEHOLDER'].map((destinationName) => ({ destinationName, url: '/x', jwt }))
    const outcomes = await execute<readonly Outcome[]>(world.stack, 'cloud-sdk-calls', '4', JSON.stringify(calls))
    for (const { data, error } of outcomes) {
      expect(error).toBeUndefined()
      expect(claimsOf(data?.headers.authorization)).toMatchObject({ zid: '22222222-bbbb', grant_type: 'client_credentials' })
    }
  })
})
