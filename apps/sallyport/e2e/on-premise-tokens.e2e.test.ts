import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Company, startCompany, subaccounts, writeConfiguration } from './company.ts'
import { createInstallation, type Installation } from './installation.ts'

let stack: Installation
let company: Company
let tokenServer: Server
const calls: {
  readonly path: string
  readonly host: string
  readonly headers: readonly string[]
  readonly form: Record<string, string>
}[] = []

beforeAll(async () => {
  stack = await createInstallation()
  company = await startCompany(stack.folder)
  tokenServer = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      calls.push({
        path: request.url ?? '',
        host: request.headers.host ?? '',
        headers: Object.keys(request.headers),
        form: Object.fromEntries(new URLSearchParams(body)),
      })
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ access_token: `on-premise-${calls.length}`, token_type: 'bearer', expires_in: 600 }))
    })
  })
  await new Promise<void>((resolve) => tokenServer.listen(0, '127.0.0.1', resolve))
  const { port } = tokenServer.address() as AddressInfo
  const mappings = `      - { virtual: "auth.demo:80", internal: "http://127.0.0.1:${port}", resources: [{ path: /oauth, subPaths: true }] }\n`
  // Private addresses stay forbidden: what a connector reaches is the connector's business.
  const configuration = `${subaccounts}${company.connectors({ mappings })}server: { destinationService: { allowPrivateTokenServices: false } }\n`
  writeConfiguration(stack.file('sallyport.yaml'), configuration)
  await stack.dev()
}, 90_000)
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
  await company[Symbol.asyncDispose]()
  tokenServer.close()
})

interface Found {
  readonly authTokens: readonly { readonly type: string; readonly value: string; readonly error?: string }[]
}

async function find(...properties: readonly string[]): Promise<Found['authTokens'][number] | undefined> {
  const fixed = [
    'Type=HTTP',
    'URL=http://plain.demo:80',
    'ProxyType=OnPremise',
    'Authentication=OAuth2ClientCredentials',
    'clientId=orders',
  ]
  await stack.json(['destination', 'set', 'Name=TOKENS', ...fixed, 'clientSecret=s', ...properties])
  return (await stack.json<Found>(['destination', 'find', 'TOKENS', '--reveal'])).authTokens[0]
}

describe('a token service behind a connector', () => {
  it('DS-068 is called through the connectivity proxy by its virtual name', async () => {
    expect(await find('tokenServiceURL=http://auth.demo:80/oauth/token?a=b')).toMatchObject({ type: 'Bearer', value: 'on-premise-1' })
    expect(calls).toMatchObject([
      { path: '/oauth/token?a=b', form: { grant_type: 'client_credentials', client_id: 'orders', client_secret: 's' } },
    ])
    expect(calls[0]?.headers.filter((name) => /^(?:proxy|sap-connectivity)/.test(name))).toEqual([])
  })

  it('is out of reach where its mapping does not lead, and the caller hears why', async () => {
    const refused = await find('tokenServiceURL=http://auth.demo:80/admin/token')
    expect(refused).toMatchObject({ type: '', value: '', error: expect.stringContaining('Retrieval of OAuthToken failed') as string })
    const elsewhere = await find('tokenServiceURL=http://auth.demo:80/oauth/token', 'CloudConnectorLocationId=none')
    expect(elsewhere?.error).toMatch(/connector/i)
    expect(calls).toHaveLength(1)
  })

  it('is not called directly at an address that the operator has not allowed', async () => {
    const { port } = tokenServer.address() as AddressInfo
    const direct = await find(`tokenServiceURL=http://127.0.0.1:${port}/oauth/token`, 'tokenServiceURL.ProxyType=Internet')
    expect(direct?.error).toContain('must not be called')
    expect(calls).toHaveLength(1)
  })
})
