import { join } from 'node:path'
import { createSecret } from '@sallyport/core'
import { connect } from '@sallyport/http'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Approuter, startApprouter } from './approuter.ts'
import { authenticationTypes as types } from './authentication-types.ts'
import { type AuthenticationWorld, claimsOf, openAuthenticationWorld, password } from './authentication-world.ts'
import { type Browser, createBrowser } from './browser.ts'
import type { Echo } from './echo-backend.ts'
import { stubApplication } from './found-destination.ts'

let world: AuthenticationWorld
beforeAll(async () => {
  world = await openAuthenticationWorld()
}, 90_000)
afterAll(async () => world[Symbol.asyncDispose]())

interface Outcome {
  readonly status?: number
  readonly data?: Echo & { readonly user?: string }
  readonly error?: string
  readonly authTokens?: readonly { readonly type: string; readonly error?: string | null }[]
  readonly certificates?: readonly { readonly name: string; readonly type: string }[]
}

describe.each(['4', '3'])('the unmodified SAP Cloud SDK %s', (version) => {
  let outcomes: ReadonlyMap<string, Outcome>
  beforeAll(async () => {
    const calls = [...types, { destination: 'REFUSED', user: undefined, refreshToken: undefined, path: undefined }].map((type) => ({
      destinationName: type.destination,
      url: type.path ?? '/x',
      ...(type.user === true ? { jwt: world.user.token } : {}),
      ...(type.refreshToken === true ? { refreshToken: world.user.refreshToken } : {}),
    }))
    const script = join(import.meta.dirname, 'clients', 'cloud-sdk-calls.mjs')
    const ended = await world.stack.run(['exec', '--', process.execPath, script, version, JSON.stringify(calls)])
    const line = ended.stdout.split('\n').findLast((text) => text.startsWith('[{'))
    if (line === undefined) throw new Error(`${ended.stdout}${ended.stderr}`)
    const list = JSON.parse(line) as Outcome[]
    outcomes = new Map(calls.map((call, at) => [call.destinationName, list[at] ?? {}]))
  }, 60_000)

  it.each(types)('DS-140 carries out $destination', ({ destination, reached }) => {
    const { data, error } = outcomes.get(destination) ?? {}
    expect(error).toBeUndefined()
    reached(data!, world)
  })

  it('CL-104 reads key store and trust store from where the service keeps them', () => {
    expect(outcomes.get('CLIENT_CERTIFICATE')?.certificates).toEqual([
      { name: 'client.p12', type: 'CERTIFICATE' },
      { name: 'partner.pem', type: 'CERTIFICATE' },
    ])
  })

  it('CL-102 reports the reason where the token of a destination is refused', () => {
    expect(outcomes.get('REFUSED')?.error).toMatch(/failed in all cases[\s\S]*Bad client credentials/)
  })
})

describe('our own client, by the name of a destination', () => {
  it.each(types)('carries out $destination', async ({ destination, user, refreshToken, path, reached }) => {
    const { ca } = stubApplication(world.stack)
    onTestFinished(() => void vi.unstubAllEnvs())
    await using client = await connect(destination, {
      ca,
      ...(user === true ? { userToken: world.user.token } : {}),
      ...(refreshToken === true ? { flow: { refreshToken: createSecret(world.user.refreshToken) } } : {}),
    })
    const answer = await client.request(path ?? '/x', { signal: AbortSignal.timeout(15_000) })
    expect(answer.status).toBe(200)
    reached((await answer.json()) as Echo, world)
  })
})

describe('the unmodified application router 23', () => {
  // A refresh token is nothing that a browser brings along; an additional query is nothing that this router adds.
  const routed = types.filter(({ destination }) => !['REFRESH_TOKEN', 'NONE'].includes(destination))
  let router: Approuter
  let browser: Browser
  beforeAll(async () => {
    router = await startApprouter(world.stack, 'approuter23', {
      authenticationMethod: 'route',
      routes: [...routed, { destination: 'REFUSED' }].map(({ destination }) => ({
        source: `^/${destination}(/.*)$`,
        target: '$1',
        destination,
        authenticationType: 'xsuaa',
        csrfProtection: false,
      })),
    })
    browser = createBrowser({ authority: join(world.stack.data, 'ca.crt') })
    const page = await browser.open(`${router.url}/ON_PREMISE/first`)
    await browser.submit(page, { username: 'jane@acme.test', password })
  }, 40_000)
  afterAll(async () => router[Symbol.asyncDispose]())

  it.each(routed.filter(({ destination }) => destination !== 'FORWARDED'))(
    'CL-160 carries out $destination',
    async ({ destination, path = '/x', reached }) => {
      const page = await browser.open(`${router.url}/${destination}${path}`)
      expect(page.status, `${page.text}\n${router.output()}`).toBe(200)
      reached(JSON.parse(page.text) as Echo, world)
    },
  )

  it('forwards the token of the log-on where the destination says so', async () => {
    const { headers } = JSON.parse((await browser.open(`${router.url}/FORWARDED/x`)).text) as Echo
    expect(claimsOf(headers.authorization)).toMatchObject({ user_name: 'jane@acme.test', grant_type: 'authorization_code' })
  })

  it('CL-102 fails the request, and only that one, where the token of a destination is refused', async () => {
    const page = await browser.open(`${router.url}/REFUSED/x`)
    expect(page.status).toBe(500)
    expect(router.output()).toContain('Bad client credentials')
    expect((await browser.open(`${router.url}/BASIC/x`)).status).toBe(200)
  })
})
