import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { skipUnless } from '@sallyport/real-backends'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRequester, type Requester } from '../src/stack/request.ts'
import { createInstallation, type Installation } from './installation.ts'

let stack: Installation
let request: Requester
let proxyToken: string
let userToken: string

beforeAll(async () => {
  stack = await createInstallation()
  await stack.dev()
  request = createRequester({ authorities: [readFileSync(join(stack.data, 'ca.crt'), 'utf8')] })
  proxyToken = await issue(['--client', 'connectivity'])
  userToken = await issue(['--user', 'jane@acme.test'])
}, 60_000)
afterAll(async () => {
  await request[Symbol.asyncDispose]()
  await stack[Symbol.asyncDispose]()
})

const issue = async (words: readonly string[]): Promise<string> => (await stack.run(['token', 'issue', '--raw', ...words])).stdout.trim()

interface Bindings {
  readonly VCAP_SERVICES: Readonly<
    Record<'xsuaa' | 'destination' | 'connectivity', readonly [{ readonly credentials: Readonly<Record<string, string>> }]>
  >
}
const bindings = (): Bindings['VCAP_SERVICES'] =>
  (JSON.parse(readFileSync(join(stack.data, 'default-env.json'), 'utf8')) as Bindings).VCAP_SERVICES

/** A request through the HTTP listener with curl, an HTTP client that owes us nothing. */
async function viaProxy(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: string }> {
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const outcome = await stack.program('curl', [
    '-sS',
    '--noproxy',
    '',
    '--proxy',
    `http://localhost:${stack.port('proxyHttp')}`,
    '-w',
    '\n%{http_code}',
    ...lines,
    url,
  ])
  const at = outcome.stdout.lastIndexOf('\n')
  return { status: Number(outcome.stdout.slice(at + 1)), body: outcome.stdout.slice(0, at) }
}

const ping = 'http://s4.demo:443/sap/bc/ping'
const bearer = (token: string): string => `Bearer ${token}`

describe.skipIf(skipUnless('curl'))('a user on the way through the whole chain', () => {
  it('PP-007 a user exchange token alone and the two-header variant yield the same subject', async () => {
    const exchanged = await issue(['--user', 'jane@acme.test', '--client', 'connectivity'])
    const alone = await viaProxy(ping, { 'Proxy-Authorization': bearer(exchanged) })
    const two = await viaProxy(ping, { 'Proxy-Authorization': bearer(proxyToken), 'SAP-Connectivity-Authentication': bearer(userToken) })
    expect([alone.status, two.status]).toEqual([200, 200])
    expect(JSON.parse(alone.body)).toEqual({ status: 'ok', user: 'jane@acme.test', subject: 'CN=jane@acme.test' })
    expect(two.body).toBe(alone.body)
  })

  it('PP-008 a Basic Proxy-Authorization with the token as user name works', async () => {
    const basic = `Basic ${Buffer.from(`${proxyToken}:`).toString('base64')}`
    const answer = await viaProxy(ping, { 'Proxy-Authorization': basic, 'SAP-Connectivity-Authentication': bearer(userToken) })
    expect(JSON.parse(answer.body)).toMatchObject({ user: 'jane@acme.test' })
  })

  it('CP-027 the user’s token never reaches the backend as a header, but the user does', async () => {
    const headers = { 'Proxy-Authorization': bearer(proxyToken), 'SAP-Connectivity-Authentication': bearer(userToken) }
    const seen = JSON.parse((await viaProxy('http://plain.demo:80/', headers)).body) as { headers: readonly string[] }
    expect(seen.headers.filter((name) => /^(?:sap-connectivity|proxy)/.test(name))).toEqual([])
    expect(JSON.parse((await viaProxy(ping, headers)).body)).toMatchObject({ user: 'jane@acme.test' })
  })

  it('curl is told 403, 503 and 405 for what is not possible', async () => {
    const headers = { 'Proxy-Authorization': bearer(proxyToken) }
    expect((await viaProxy('http://unknown.demo:80/', headers)).status).toBe(403)
    expect((await viaProxy('http://s4.demo:443/other', headers)).status).toBe(403)
    expect((await viaProxy(ping, { ...headers, 'SAP-Connectivity-SCC-Location_ID': 'none' })).status).toBe(503)
    const connect = await stack.program('curl', [
      '-sS',
      '--noproxy',
      '',
      '--proxy',
      `http://localhost:${stack.port('proxyHttp')}`,
      '--proxy-header',
      `Proxy-Authorization: ${bearer(proxyToken)}`,
      'https://s4.demo:443/',
    ])
    expect(connect.stderr).toContain('405')
  })

  it('without a user, the system certificate logs the connector on where the mapping allows it', async () => {
    const answer = await viaProxy(ping, { 'Proxy-Authorization': bearer(proxyToken) })
    expect(JSON.parse(answer.body)).toEqual({ status: 'ok', user: 'SYSTEM', subject: 'CN=cloud-connector.demo' })
  })
})

describe('bindings and token service', () => {
  it('CL-005 uaadomain has no scheme and serves https with its port', async () => {
    const { uaadomain } = bindings().xsuaa[0].credentials
    expect(uaadomain).toBe(`localhost:${stack.port('tokenService')}`)
    expect((await request(`https://${uaadomain}/token_keys`)).status).toBe(200)
  })

  it('CL-006 verificationkey is the public key that tokens are signed with', async () => {
    const [header = ''] = userToken.split('.')
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as { kid: string }
    const { uaadomain, verificationkey } = bindings().connectivity[0].credentials
    const { keys } = JSON.parse(await (await request(`https://${uaadomain}/token_keys`)).text()) as {
      keys: readonly { kid: string; n: string }[]
    }
    expect(createPublicKey(verificationkey ?? '').export({ format: 'jwk' })).toMatchObject({ n: keys.find((key) => key.kid === kid)?.n })
  })

  it('CL-192 a destination may name a token service on loopback in the local stack', async () => {
    const { clientid, clientsecret, url } = bindings().destination[0].credentials
    await stack.json([
      'destination',
      'set',
      'Name=TOKENS',
      'Type=HTTP',
      'URL=http://a.example',
      'ProxyType=Internet',
      'Authentication=OAuth2ClientCredentials',
      `clientId=${clientid}`,
      `clientSecret=${clientsecret}`,
      `tokenServiceURL=${url}/oauth/token`,
      'tokenServiceURLType=Dedicated',
    ])
    const found = await stack.json<{ authTokens: readonly { type: string; value: string; error?: string }[] }>([
      'destination',
      'find',
      'TOKENS',
      '--reveal',
    ])
    expect(found.authTokens[0]).toMatchObject({ type: 'Bearer', value: expect.stringMatching(/^eyJ/) })
    expect(found.authTokens[0]).not.toHaveProperty('error')
  })
})
