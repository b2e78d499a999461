import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { createTestCa, createTestIssuer, type TestIssuer } from '@sallyport/test-fixtures'
import { skipUnless } from '@sallyport/real-backends'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRequester, type Requester } from '../src/stack/request.ts'
import { type Company, startCompany, writeConfiguration } from './company.ts'
import { createInstallation, type Installation } from './installation.ts'

/** Key server of an identity service and of two corporate identity providers; one of the latter lets its tokens travel inside those of the token service. */
const authority = createTestCa({ subject: '/O=Test/CN=Identity CA' })
const identity = authority.issue({ subject: '/CN=identity' })
let keyServer: Server
let service: TestIssuer
let corporate: TestIssuer
let plain: TestIssuer

/** An ABAP system that takes WebSocket RFC, and what it has read in upgrade requests: name of the peer, and subject of the user certificate. */
let webSocketSystem: Server
const upgrades: string[] = []

let stack: Installation
let company: Company
let request: Requester
const tokens = { proxy: '', technical: '' }

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ping = 'http://s4.demo:443/sap/bc/ping'
const employee = { zid: undefined, ext_attr: undefined, sub: 'e-4711', email: 'jane@corp.test', employee: '4711', aud: ['sallyport'] }
const application = { zid: undefined, ext_attr: undefined, app_tid: 'demo', sub: 'orders', azp: 'orders' }
const person = { ...application, sub: 'u-1', user_uuid: 'u-1', email: 'max@ias.test' }

beforeAll(async () => {
  stack = await createInstallation({ environment: { NODE_EXTRA_CA_CERTS: 'identity-ca.pem' } })
  writeFileSync(stack.file('identity-ca.pem'), authority.certificate)
  company = await startCompany(stack.folder)
  keyServer = createServer({ cert: identity.certificate, key: identity.key }, ({ url }, response) => {
    const issuer = [service, corporate, plain].find(({ issuer: name }) => new URL(name).pathname === url)
    response.writeHead(issuer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: issuer?.keys }))
  })
  await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve))
  const origin = `https://localhost:${(keyServer.address() as AddressInfo).port}`
  service = createTestIssuer({ issuer: `${origin}/service`, keyId: 'service' })
  corporate = createTestIssuer({ issuer: `${origin}/corporate`, keyId: 'corporate' })
  plain = createTestIssuer({ issuer: `${origin}/plain`, keyId: 'plain' })
  const rules = `rules:
        - { when: { variable: user_type, operator: is, value: Technical }, subject: "CN=robot \${name}" }
        - { when: { variable: employee, operator: exist }, subject: "CN=employee \${employee}" }
        - { subject: "CN=\${name}" }`
  webSocketSystem = createServer({ cert: identity.certificate, key: identity.key, requestCert: true, rejectUnauthorized: false })
  webSocketSystem.on('upgrade', ({ headers }, socket) => {
    const peer = (socket as TLSSocket).getPeerCertificate().subject.CN
    const user = new X509Certificate(Buffer.from(String(headers['ssl_client_cert']), 'base64')).subject
    upgrades.push(`${String(peer)} ${user}`)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => webSocketSystem.listen(0, '127.0.0.1', resolve))
  const { port } = webSocketSystem.address() as AddressInfo
  const mapping = `{ virtual: "abap.demo:443", internal: "rfcws://localhost:${port}", backendType: abapSys, principalType: X509_GENERAL, passUnread: true }`
  const connectors = company
    .connectors({ mappings: `      - ${mapping}\n` })
    .replace('subjectPattern: "CN=${email}"', rules)
    .replace('authorities: [', 'authorities: [{ file: identity-ca.pem }, ')
  // The same company once more, at a place where nobody believes its identity provider.
  const elsewhere = connectors
    .replace('connectors:\n', '')
    .replace('locationId: ""', 'locationId: elsewhere')
    .replace('trust: { automatic: true }', `trust: { automatic: true, untrustedIssuers: ["${corporate.issuer}"] }`)
  writeConfiguration(
    stack.file('sallyport.yaml'),
    `version: 1
subaccounts:
  - id: demo
    users: [{ name: jane@acme.test }]
identityServices:
  - { issuer: "${service.issuer}", keysUrl: "${service.issuer}", propagatesUsers: true, applications: [{ clientId: orders, consumedServices: [sallyport-connectivity] }] }
identityProviders:
  - { issuer: "${corporate.issuer}", keysUrl: "${corporate.issuer}", propagatesUsers: true, embedToken: true, origin: corp, audiences: [sallyport] }
  - { issuer: "${plain.issuer}", keysUrl: "${plain.issuer}", origin: plain, audiences: [sallyport] }
${connectors}${elsewhere}`,
  )
  await stack.dev()
  request = createRequester({ authorities: [readFileSync(join(stack.data, 'ca.crt'), 'utf8')] })
  tokens.proxy = await issue(['--client', 'connectivity'])
  tokens.technical = await issue(['--client', 'xsuaa'])
}, 90_000)
afterAll(async () => {
  await request?.[Symbol.asyncDispose]()
  await stack?.[Symbol.asyncDispose]()
  await company?.[Symbol.asyncDispose]()
  keyServer?.close()
  webSocketSystem?.closeAllConnections()
  webSocketSystem?.close()
})

const issue = async (words: readonly string[]): Promise<string> => (await stack.run(['token', 'issue', '--raw', ...words])).stdout.trim()

/** A token of the client of a binding for whom an assertion names, as an application gets one. */
async function exchange(assertion: string, label: 'xsuaa' | 'connectivity'): Promise<string> {
  const bindings = JSON.parse(readFileSync(join(stack.data, 'default-env.json'), 'utf8')) as {
    readonly VCAP_SERVICES: Readonly<Record<string, readonly [{ readonly credentials: Readonly<Record<string, string>> }]>>
  }
  const { clientid = '', clientsecret = '', url = '' } = bindings.VCAP_SERVICES[label]?.[0].credentials ?? {}
  const answer = await request(`${url}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: jwtBearer, client_id: clientid, client_secret: clientsecret, assertion }).toString(),
  })
  const { access_token: token, error_description: why } = JSON.parse(await answer.text()) as Readonly<Record<string, string>>
  if (token === undefined) throw new Error(why)
  return token
}

/** Whom the system has logged on, or why nobody. */
async function loggedOn(headers: Readonly<Record<string, string>>): Promise<string> {
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const proxy = ['--noproxy', '', '--proxy', `http://localhost:${stack.port('proxyHttp')}`]
  const { stdout } = await stack.program('curl', ['-sS', ...proxy, '-w', '\n%{http_code}', ...lines, ping])
  const at = stdout.lastIndexOf('\n')
  const status = stdout.slice(at + 1)
  const body = stdout.slice(0, at).trim()
  return status === '200' ? (JSON.parse(body) as { readonly subject: string }).subject : `${status} ${body}`
}

const alone = (token: string): Promise<string> => loggedOn({ 'Proxy-Authorization': `Bearer ${token}` })
const beside = (proxy: string, user: string, more: Readonly<Record<string, string>> = {}): Promise<string> =>
  loggedOn({ 'Proxy-Authorization': `Bearer ${proxy}`, 'SAP-Connectivity-Authentication': `Bearer ${user}`, ...more })
const technical = (token: string): Promise<string> =>
  loggedOn({ 'Proxy-Authorization': `Bearer ${tokens.proxy}`, 'SAP-Connectivity-Technical-Authentication': `Bearer ${token}` })

const system = 'CN=cloud-connector.demo'
const untrusted = expect.stringMatching(/^403 SSO token validation failed/) as string
const hour = 3_600

describe.skipIf(skipUnless('curl'))('whom a token logs on through proxy, tunnel and connector', () => {
  it('PP-043 the corporate token that a user token carries determines the subject, alone and beside a proxy token', async () => {
    const user = await exchange(corporate.sign(employee), 'xsuaa')
    expect(await beside(tokens.proxy, user)).toBe('CN=employee 4711')
    // A user exchange token of the connectivity client carries it on.
    expect(await alone(await exchange(user, 'connectivity'))).toBe('CN=employee 4711')
    // The token of a provider that is not carried along leaves the outer one to decide.
    const other = await exchange(plain.sign({ ...employee, email: 'joe@plain.test' }), 'xsuaa')
    expect(await beside(tokens.proxy, other)).toBe('CN=joe@plain.test')
  })

  it('PP-043 a carried token is never believed for what carries it: signature, issuer, time and tenant are its own', async () => {
    const seconds = Math.floor(Date.now() / 1000)
    const own = createTestIssuer({ issuer: corporate.issuer, keyId: 'corporate' })
    const carrying = async (token: string): Promise<string> => {
      // The outer token is a real one of the token service; only what it carries is exchanged, which its signature no longer covers.
      const [head = '', claims = '', signature = ''] = (await exchange(corporate.sign(employee), 'xsuaa')).split('.')
      const changed = { ...(JSON.parse(Buffer.from(claims, 'base64url').toString()) as object), corporate_idp_token: token }
      return beside(tokens.proxy, `${head}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${signature}`)
    }
    expect(await carrying(own.sign(employee))).toEqual(untrusted)
    expect(await carrying(plain.sign(employee))).toEqual(untrusted)
    expect(await carrying(corporate.sign({ ...employee, exp: seconds - 3 * hour }))).toEqual(untrusted)
    expect(await carrying(corporate.sign({ ...employee, nbf: seconds + hour }))).toEqual(untrusted)
    expect(await carrying(corporate.sign({ ...employee, zid: 'other' }))).toMatch(/^400 .*another tenant/)
    expect(await carrying('nonsense')).toMatch(/^400 /)
  })

  it('PP-044 a user token of an identity service works with a proxy token of the token service and with one of the identity service', async () => {
    const user = service.sign(person)
    expect(await beside(tokens.proxy, user)).toBe('CN=max@ias.test')
    expect(await beside(service.sign(application), user)).toBe('CN=max@ias.test')
    expect(await beside(service.sign(application), await issue(['--user', 'jane@acme.test']))).toBe('CN=jane@acme.test')
    // A forged one, one for another tenant, and one of an issuer whose users are not propagated.
    expect(await beside(tokens.proxy, createTestIssuer({ issuer: service.issuer, keyId: 'service' }).sign(person))).toEqual(untrusted)
    expect(await beside(tokens.proxy, service.sign({ ...person, app_tid: 'other' }))).toMatch(/^400 .*another tenant/)
    expect(await beside(tokens.proxy, plain.sign({ ...employee, aud: ['orders'] }))).toEqual(untrusted)
  })

  it('PP-045 a proxy token of an identity service carries no user: the system certificate logs on, and the token of a person is not taken', async () => {
    expect(await alone(service.sign(application))).toBe(system)
    expect(await alone(service.sign(person))).toMatch(/^407 .*only the token of an application/)
    expect(await alone(service.sign({ ...application, sub: 'x', azp: 'x' }))).toMatch(/^407 .*consumes no instance/)
  })

  it('PP-046 a technical token works through its own header alone, and is of the user type Technical', async () => {
    expect(await technical(tokens.technical)).toMatch(/^CN=robot sb-/)
    expect(await beside(tokens.proxy, tokens.technical)).toMatch(/^403 SSO token validation failed: the token is that of an application/)
    expect(await alone(tokens.proxy)).toBe(system)
    expect(await technical(await issue(['--user', 'jane@acme.test']))).toMatch(
      /^403 SSO token validation failed: the token is that of a person/,
    )
    expect(await technical(service.sign(application))).toBe('CN=robot orders')
  })

  it('PP-050 the certificate of the user goes in the upgrade request of WebSocket RFC, and what is said behind it comes back', async () => {
    const upgrade = httpRequest({
      port: stack.port('proxyHttp'),
      path: 'http://abap.demo:443/sap/bc/rfc',
      headers: {
        Host: 'abap.demo:443',
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'x3JJHMbDL1EzLkh9GBhXDw==',
        'Sec-WebSocket-Protocol': 'rfc.sap.com',
        'Proxy-Authorization': `Bearer ${tokens.proxy}`,
        'SAP-Connectivity-Authentication': `Bearer ${corporate.sign(employee)}`,
      },
    })
    upgrade.end()
    const [, socket] = (await once(upgrade, 'upgrade')) as [unknown, Socket]
    socket.write('frames')
    const [said] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    expect(said.toString()).toBe('frames')
    expect(upgrades).toEqual(['cloud-connector.demo CN=employee 4711'])
  })

  it('PP-052 the location ID selects the connector whose trust list is used', async () => {
    const location = { 'SAP-Connectivity-SCC-Location_ID': 'elsewhere' }
    const user = corporate.sign(employee)
    expect(await beside(tokens.proxy, user)).toBe('CN=employee 4711')
    expect(await beside(tokens.proxy, user, location)).toMatch(
      /^403 SSO token validation failed: the issuer of the token is marked as untrusted/,
    )
    // The same connector believes everybody else.
    expect(await beside(tokens.proxy, service.sign(person), location)).toBe('CN=max@ias.test')
  })
})
