import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Approuter, startApprouter } from './approuter.ts'
import { type Browser, createBrowser, type Page } from './browser.ts'
import { type Company, startCompany, writeConfiguration } from './company.ts'
import { type Echo, type EchoBackend, startEchoBackend } from './echo-backend.ts'
import { createInstallation, type Installation } from './installation.ts'

const partners = 'sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner?$top=1'
const password = 'correct horse battery'

let stack: Installation
let company: Company
let backend: EchoBackend

const destinations = (port: number): string => `
      - { Name: S4, Type: HTTP, ProxyType: OnPremise, URL: "http://s4.demo:443", Authentication: PrincipalPropagation }
      - { Name: PLAIN, Type: HTTP, ProxyType: OnPremise, URL: "http://plain.demo:80", Authentication: NoAuthentication }
      - { Name: NET, Type: HTTP, ProxyType: Internet, URL: "http://127.0.0.1:${port}", Authentication: NoAuthentication }
      - { Name: NET_FORWARD, Type: HTTP, ProxyType: Internet, URL: "http://127.0.0.1:${port}", Authentication: NoAuthentication, HTML5.ForwardAuthToken: "true" }
      - { Name: NET_BASIC, Type: HTTP, ProxyType: Internet, URL: "http://127.0.0.1:${port}", Authentication: BasicAuthentication, User: robot, Password: "p:ss", "URL.headers.x-extra": more }`

beforeAll(async () => {
  stack = await createInstallation()
  company = await startCompany(stack.folder)
  backend = await startEchoBackend()
  const file = writeConfiguration(
    stack.file('sallyport.yaml'),
    `version: 1
subaccounts:
  - id: demo
    users:
      - { name: jane@acme.test, password: "${password}", givenName: Jane, familyName: Roe, groups: [sales] }
      - { name: john@acme.test, password: "${password}" }
    destinations:${destinations(backend.port)}
${company.connectors()}`,
  )
  await stack.dev(['--config', file])
}, 60_000)
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
  await company[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})

const routes = [
  { source: '^/s4/(.*)$', target: '$1', destination: 'S4', authenticationType: 'xsuaa', csrfProtection: false },
  { source: '^/plain/(.*)$', target: '$1', destination: 'PLAIN', authenticationType: 'none', csrfProtection: false },
  { source: '^/net/(.*)$', target: '$1', destination: 'NET', authenticationType: 'xsuaa' },
  { source: '^/forward/(.*)$', target: '$1', destination: 'NET_FORWARD', authenticationType: 'xsuaa' },
  { source: '^/basic/(.*)$', target: '$1', destination: 'NET_BASIC', authenticationType: 'xsuaa' },
  { source: '^/password/(.*)$', target: '$1', destination: 'NET', authenticationType: 'basic' },
  { source: '^/sales/(.*)$', target: '$1', destination: 'NET', authenticationType: 'xsuaa', scope: '$XSAPPNAME.sales' },
  { source: '^/gone/(.*)$', target: '$1', destination: 'NO_SUCH', authenticationType: 'none' },
]

const application = { authenticationMethod: 'route', routes, logout: { logoutEndpoint: '/leave', logoutPage: '/plain/bye' } }

describe.each(['approuter21', 'approuter23'])('the unmodified application router, %s', (name) => {
  let router: Approuter
  let browser: Browser
  beforeAll(async () => {
    router = await startApprouter(stack, name, application)
    browser = createBrowser({ authority: join(stack.data, 'ca.crt') })
  }, 40_000)
  afterAll(async () => router[Symbol.asyncDispose]())

  const echo = (page: Page): Echo => {
    expect(page.status, `${page.text}\n${router.output()}`).toBe(200)
    return JSON.parse(page.text) as Echo
  }
  const logOn = async (page: Page, user = 'jane@acme.test'): Promise<Page> => browser.submit(page, { username: user, password })

  it('CL-071 CL-072 sends an unknown user to the log-on page of the token service, and back to where it wanted to go', async () => {
    const page = await browser.open(`${router.url}/net/first?a=b%20c`)
    expect(page.url.origin).toBe(`https://localhost:${stack.port('tokenService')}`)
    expect(page.text).toContain('<form method="post"')
    const back = await logOn(page)
    expect(back.url.href).toBe(`${router.url}/net/first?a=b%20c`)
    const callback = back.visited.find((url) => url.pathname === '/login/callback')
    expect(callback?.searchParams.get('code')).toMatch(/.+/)
    const authorize = page.visited.find((url) => url.pathname === '/oauth/authorize')
    expect(callback?.searchParams.get('state')).toMatch(/.+/)
    expect(callback?.searchParams.get('state')).toBe(authorize?.searchParams.get('state'))
    expect(authorize?.searchParams.get('code_challenge_method')).toBe('S256')
    expect(echo(back)).toMatchObject({ method: 'GET', path: '/first?a=b%20c' })
  })

  it('CL-160 CL-161 reaches the on-premise system as the user who has logged on', async () => {
    const page = await browser.open(`${router.url}/s4/${partners}`)
    expect(page.status, `${page.text}\n${router.output()}`).toBe(200)
    expect(JSON.parse(page.text)).toMatchObject({ d: { loggedOnUser: 'jane@acme.test' } })
  })

  it('CL-160 reaches an on-premise system and one in the Internet, for nobody and for the user, with the authentication of the destination', async () => {
    const plain = await browser.open(`${router.url}/plain/a%20b`)
    expect(JSON.parse(plain.text)).toMatchObject({ system: 'plain', path: '/a%20b' })
    expect(echo(await browser.open(`${router.url}/net/x`)).headers.authorization).toBeUndefined()
    expect(echo(await browser.open(`${router.url}/basic/x`)).headers).toMatchObject({
      authorization: `Basic ${Buffer.from('robot:p:ss').toString('base64')}`,
      'x-extra': 'more',
    })
    const forwarded = echo(await browser.open(`${router.url}/forward/x`)).headers.authorization ?? ''
    expect(claimsOf(forwarded)).toMatchObject({ user_name: 'jane@acme.test', grant_type: 'authorization_code', zid: 'demo' })
  })

  it('CL-041 lets a route with a scope be used by those who have it', async () => {
    expect((await browser.open(`${router.url}/sales/x`)).status).toBe(200)
    const other = createBrowser({ authority: join(stack.data, 'ca.crt') })
    const john = await other.submit(await other.open(`${router.url}/net/x`), { username: 'john@acme.test', password })
    expect(john.status).toBe(200)
    expect((await other.open(`${router.url}/sales/x`)).status).toBe(403)
  })

  it('logs on with Basic credentials through the password grant', async () => {
    const basic = (secret: string): Promise<Response> =>
      fetch(`${router.url}/password/x`, {
        headers: { authorization: `Basic ${Buffer.from(`jane@acme.test:${secret}`).toString('base64')}` },
      })
    expect((await basic(password)).status).toBe(200)
    expect((await basic('wrong')).status).toBe(401)
  })

  it('answers for one unknown destination with 500 and goes on serving the others', async () => {
    expect((await browser.open(`${router.url}/gone/x`)).status).toBe(500)
    expect((await browser.open(`${router.url}/plain/x`)).status).toBe(200)
    expect(router.running()).toBe(true)
  })

  it('CL-074 logs the user out of the token service as well: the next visit shows the log-on page', async () => {
    const left = await browser.open(`${router.url}/leave`)
    expect(left.visited.map((url) => url.pathname)).toContain('/logout.do')
    expect(left.url.pathname).toBe('/plain/bye')
    const page = await browser.open(`${router.url}/net/again`)
    expect(page.url.origin).toBe(`https://localhost:${stack.port('tokenService')}`)
    expect(echo(await logOn(page, 'john@acme.test')).path).toBe('/again')
  })
})

function claimsOf(authorization: string): unknown {
  return JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString('utf8'))
}
