import { globSync, readFileSync } from 'node:fs'
import { createConnection, createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { createTestIssuer } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Company, startCompany, subaccounts, writeConfiguration } from './company.ts'
import { createInstallation, type Installation } from './installation.ts'

let stack: Installation
let company: Company
let silent: Server
let proxyToken: string
let userToken: string

beforeAll(async () => {
  stack = await createInstallation()
  company = await startCompany(stack.folder)
  silent = createServer((socket) => socket.on('error', () => {}).resume())
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const mappings = `      - { virtual: "down.demo:80", internal: "http://127.0.0.1:1", resources: [{ path: /, subPaths: true }] }
      - { virtual: "silent.demo:80", internal: "http://127.0.0.1:${(silent.address() as AddressInfo).port}", resources: [{ path: /, subPaths: true }] }
      - { virtual: "down.demo:7", internal: "tcp://127.0.0.1:1" }
`
  writeConfiguration(
    stack.file('sallyport.yaml'),
    `${subaccounts}  - id: other\n    users: [{ name: eve@other.test }]\n${company.connectors({ audit: 'SECURITY', mappings, settings: '    backendResponseTimeoutSeconds: 1\n' })}`,
  )
  await stack.dev()
  proxyToken = await issue(['--client', 'connectivity'])
  userToken = await issue(['--user', 'jane@acme.test'])
}, 90_000)
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
  await company[Symbol.asyncDispose]()
  silent.close()
})

const issue = async (words: readonly string[]): Promise<string> => (await stack.run(['token', 'issue', '--raw', ...words])).stdout.trim()

/** Sends raw requests over one connection to the HTTP listener and returns everything that came back until it was closed. */
async function send(...requests: readonly string[]): Promise<string> {
  const socket = createConnection(stack.port('proxyHttp'), '127.0.0.1')
  let received = ''
  let sent = 0
  const next = (): void => {
    const request = requests[sent++]
    if (request !== undefined) socket.write(request)
  }
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    if (sent < requests.length && countAnswers(received) === sent) next()
  })
  next()
  await new Promise((resolve) => socket.once('close', resolve).on('error', () => {}))
  return received
}

function countAnswers(text: string): number {
  return text.split(/^HTTP\/1\.1 /m).length - 1
}

const get = (url: string, headers: Readonly<Record<string, string>>, close = true): string =>
  `GET ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}${close ? 'Connection: close\r\n' : ''}\r\n`

const authorised = (headers: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  'Proxy-Authorization': `Bearer ${proxyToken}`,
  ...headers,
})

/** Lines of the audit logs of proxy and connector. */
const audited = (): string =>
  globSync('**/audit/**/*.csv', { cwd: stack.data })
    .map((file) => readFileSync(join(stack.data, file), 'utf8'))
    .join('')

const audit = async (pattern: RegExp): Promise<void> => {
  await expect.poll(audited, { timeout: 5_000 }).toMatch(pattern)
}

describe('refusals, each with its documented status and text and an audit record', () => {
  it('CP-045 no token: 407', async () => {
    const answer = await send(get('http://plain.demo:80/', {}))
    expect(answer).toMatch(/^HTTP\/1\.1 407 /)
    expect(answer).toMatch(/\r\nProxy-Authenticate: Bearer/i)
    await audit(/access-denied.*407/)
  })

  it('foreign tenant: a token of another subaccount reaches none of this one', async () => {
    const foreign = await issue(['--client', 'connectivity', '--tenant', 'other'])
    const answer = await send(get('http://plain.demo:80/', { 'Proxy-Authorization': `Bearer ${foreign}` }))
    expect(answer).toMatch(/^HTTP\/1\.1 503 /)
    expect(answer).toContain('subaccount "other"')
    await audit(/access-denied.*503/)
  })

  it('foreign tenant: a user of another subaccount is refused', async () => {
    const eve = await issue(['--user', 'eve@other.test', '--tenant', 'other'])
    const answer = await send(get('http://s4.demo:443/sap/bc/ping', authorised({ 'SAP-Connectivity-Authentication': `Bearer ${eve}` })))
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    await audit(/access-denied.*400/)
  })

  it('CP-037 unknown location: 503 that names the SCC location ID', async () => {
    const answer = await send(get('http://plain.demo:80/', authorised({ 'SAP-Connectivity-SCC-Location_ID': 'nowhere' })))
    expect(answer).toMatch(/^HTTP\/1\.1 503 /)
    expect(answer).toMatch(/no SAP Cloud Connector \(SCC\) connected.*SCC location ID "nowhere"/)
    await audit(/access-denied.*nowhere/)
  })

  it('CC-081 CC-084 unmapped host: 403', async () => {
    const answer = await send(get('http://unmapped.demo:80/x', authorised()))
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(answer).toContain(
      'Access denied to system unmapped.demo:80. In case this was a valid request, ensure to expose the system correctly in your cloud connector.',
    )
    await audit(/access-denied.*unmapped\.demo:80/)
  })

  it('CC-082 path outside the resource: 403', async () => {
    const answer = await send(get('http://s4.demo:443/sap/opu/odata/../../payroll', authorised()))
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(answer).toContain('Access denied to resource /sap/opu/odata/../../payroll on system s4.demo:443.')
    await audit(/access-denied.*payroll/)
  })

  it('mixed connection: another location 400, another host 403, with the documented texts', async () => {
    const location = await send(
      get('http://plain.demo:80/a', authorised(), false),
      get('http://plain.demo:80/b', authorised({ 'SAP-Connectivity-SCC-Location_ID': 'x' })),
    )
    expect(location).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 400 /)
    expect(location).toContain(
      'was set with a different value compared to the value which was already used for this connection. Original tunnel ID: account:///demo',
    )
    const host = await send(get('http://plain.demo:80/a', authorised(), false), get('http://s4.demo:443/sap/bc/ping', authorised()))
    expect(host).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 403 /)
    expect(host).toContain('Access denied to resource /sap/bc/ping on system s4.demo:443')
    await audit(/access-denied.*different value/)
  })

  it('CC-086 backend down: 502', async () => {
    const answer = await send(get('http://down.demo:80/', authorised()))
    expect(answer).toMatch(/^HTTP\/1\.1 502 /)
    expect(answer).toContain('Unable to open connection to backend system')
  })

  it('CL-130 host or path not exposed 403, no connector 503, backend down 502 at once, CONNECT and https targets 405', async () => {
    const status = async (request: string): Promise<string> => (await send(request)).slice(9, 12)
    expect(await status(get('http://unmapped.demo:80/', authorised()))).toBe('403')
    expect(await status(get('http://s4.demo:443/other', authorised()))).toBe('403')
    expect(await status(get('http://plain.demo:80/', authorised({ 'SAP-Connectivity-SCC-Location_ID': 'none' })))).toBe('503')
    const before = performance.now()
    expect(await status(get('http://down.demo:80/', authorised()))).toBe('502')
    // Approuter gives up after thirty seconds.
    expect(performance.now() - before).toBeLessThan(15_000)
    expect(await status(get('https://s4.demo:443/', authorised()))).toBe('405')
    expect(await status(`CONNECT s4.demo:443 HTTP/1.1\r\nHost: s4.demo:443\r\nConnection: close\r\n\r\n`)).toBe('405')
  })

  it('backend silent: 504', async () => {
    const answer = await send(get('http://silent.demo:80/', authorised()))
    expect(answer).toMatch(/^HTTP\/1\.1 504 /)
  })

  it.each([
    ['an issuer that nobody trusts', () => createTestIssuer({ issuer: 'https://evil.example/oauth/token' }).user('jane@acme.test')],
    [
      'a key that is not the issuer’s',
      () => createTestIssuer({ issuer: issuerOf(userToken), keyId: keyIdOf(userToken) }).user('jane@acme.test'),
    ],
    ['no signature at all', () => unsigned(userToken)],
  ])('user untrusted: %s: 403 and nothing reaches the backend', async (_, token) => {
    const answer = await send(get('http://s4.demo:443/sap/bc/ping', authorised({ 'SAP-Connectivity-Authentication': `Bearer ${token()}` })))
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(answer).toContain('SSO token validation failed')
    expect(answer).not.toContain('"status":"ok"')
    await audit(/access-denied.*SSO token validation failed/)
  })

  it('CP-052 PP-055 no token stands in any log or audit line', () => {
    const written = globSync('**/*.{log,out,csv}', { cwd: stack.data })
      .map((file) => readFileSync(join(stack.data, file), 'utf8'))
      .join('')
    expect(written.length).toBeGreaterThan(0)
    for (const token of [proxyToken, userToken]) for (const piece of token.split('.').slice(1)) expect(written).not.toContain(piece)
  })
})

function part(token: string, index: number): Record<string, string> {
  return JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString('utf8')) as Record<string, string>
}
function issuerOf(token: string): string {
  return part(token, 1)['iss'] ?? ''
}
function keyIdOf(token: string): string {
  return part(token, 0)['kid'] ?? ''
}
function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ ...part(token, 0), alg: 'none' })).toString('base64url')
  return `${header}.${token.split('.')[1] ?? ''}.`
}
