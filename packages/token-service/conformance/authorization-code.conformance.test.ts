import { createHash } from 'node:crypto'
import { createManualClock } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryGrantStore, defaultLimits } from '../src/index.ts'
import { callback, codeOf, createBrowser } from './browser.ts'
import { type Answer, claimsOf, ids, type RunningService, secrets, startService } from './running-service.ts'

const app = { client_id: ids.app, client_secret: secrets.app }
const verifier = 'a-verifier-that-has-the-forty-three-characters-it-needs'
const challenge = createHash('sha256').update(verifier).digest('base64url')

const exchange = (service: RunningService, code: string, more: Readonly<Record<string, string>> = {}) =>
  service.token({ grant_type: 'authorization_code', ...app, code, redirect_uri: callback, ...more })

let running: RunningService
beforeAll(async () => {
  running = await startService()
})
afterAll(async () => running.service.close())

describe('codes', () => {
  it('CL-073 become a token whose grant_type is authorization_code', async () => {
    const answer = await exchange(running, codeOf(await createBrowser(running).logOn()))
    expect(answer.status).toBe(200)
    expect(claimsOf(answer.json()['access_token'])).toMatchObject({
      grant_type: 'authorization_code',
      user_name: 'Jane@acme.test',
      cid: ids.app,
    })
  })

  it('CL-042 refresh tokens come with codes, passwords and exchanges, and again with every refresh', async () => {
    const fromCode = await exchange(running, codeOf(await createBrowser(running).logOn()))
    const fromPassword = await running.token({ grant_type: 'password', ...app, username: 'jane@acme.test', password: 'correct horse' })
    const assertion = String(fromCode.json()['access_token'])
    const fromExchange = await running.token({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', ...app, assertion })
    for (const first of [fromCode, fromPassword, fromExchange]) {
      let refresh = first.json()['refresh_token'] as string
      for (let round = 0; round < 2; round++) {
        const answer = await running.token({ grant_type: 'refresh_token', ...app, refresh_token: refresh })
        expect(answer.json()).toMatchObject({
          access_token: expect.any(String),
          expires_in: expect.any(Number),
          refresh_token: expect.any(String),
        })
        expect(claimsOf(answer.json()['access_token'])['user_name']).toBe('Jane@acme.test')
        refresh = answer.json()['refresh_token'] as string
      }
    }
  })

  it('CL-070 work once, for their client and redirect target, with the verifier to their challenge', async () => {
    const browser = createBrowser(running)
    await browser.logOn()
    const withChallenge = async () => codeOf(await browser.authorize({ code_challenge: challenge, code_challenge_method: 'S256' }))
    const plain = async () => codeOf(await browser.authorize())
    const refused = async (answer: Promise<Answer>) => {
      const { status, json } = await answer
      expect([status, json()['error']]).toEqual([400, 'invalid_grant'])
    }

    const good = await withChallenge()
    const first = await exchange(running, good, { code_verifier: verifier })
    expect(first.status).toBe(200)
    await refused(exchange(running, good, { code_verifier: verifier }))
    // The second use took back what the first had given.
    await refused(running.token({ grant_type: 'refresh_token', ...app, refresh_token: String(first.json()['refresh_token']) }))

    for (const wrong of [{ code_verifier: verifier.replace('a-', 'b-') }, { code_verifier: challenge }, { code_verifier: '' }]) {
      const code = await withChallenge()
      await refused(exchange(running, code, wrong))
      await refused(exchange(running, code, { code_verifier: verifier }))
    }
    await refused(exchange(running, await plain(), { code_verifier: verifier }))
    await refused(exchange(running, await plain(), { redirect_uri: 'https://portal.apps.test/login/callback' }))
    await refused(exchange(running, await plain(), { redirect_uri: '' }))
    await refused(exchange(running, await plain(), { client_id: ids.destination, client_secret: secrets.destination }))
    await refused(exchange(running, 'A'.repeat(43)))

    const code = await plain()
    const answers = await Promise.all(Array.from({ length: 5 }, () => exchange(running, code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('expire after five minutes', async () => {
    await using service = await startService()
    const code = codeOf(await createBrowser(service).logOn())
    service.clock.advance(300_000)
    expect((await exchange(service, code)).status).toBe(400)
  })

  it('CL-035 refusals are 400 or 401 with error and error_description; a code survives only an answer of 5xx', async () => {
    const clock = createManualClock(Date.now())
    const grants = createMemoryGrantStore({ clock, bounds: defaultLimits })
    let broken = false
    await using service = await startService({
      clock,
      grants: {
        ...grants,
        redeemCode: (...parameters) => (broken ? Promise.reject(new Error('disk full, password=x')) : grants.redeemCode(...parameters)),
      },
    })
    const bodyOf = (answer: Answer) => {
      expect(Object.keys(answer.json())).toEqual(['error', 'error_description'])
      expect(answer.headers['content-type']).toMatch(/^application\/json/)
      return answer.status
    }
    expect(bodyOf(await service.token({ grant_type: 'client_credentials', client_id: ids.app, client_secret: 'wrong' }))).toBe(401)
    expect(bodyOf(await service.token({ grant_type: 'password', ...app, username: 'jane@acme.test', password: 'wrong' }))).toBe(401)
    expect(bodyOf(await service.token({ grant_type: 'something', ...app }))).toBe(400)
    expect(bodyOf(await service.token({ ...app }))).toBe(400)

    const browser = createBrowser(service)
    const code = codeOf(await browser.logOn())
    broken = true
    const failed = await exchange(service, code)
    expect(bodyOf(failed)).toBe(500)
    expect(failed.text).not.toMatch(/disk|password|at /)
    broken = false
    expect((await exchange(service, code)).status).toBe(200)
    expect(bodyOf(await exchange(service, code))).toBe(400)

    const refusedOnce = codeOf(await browser.authorize())
    expect(bodyOf(await exchange(service, refusedOnce, { redirect_uri: 'https://portal.apps.test/other' }))).toBe(400)
    expect(bodyOf(await exchange(service, refusedOnce))).toBe(400)
  })

  it('come with an ID token that repeats the nonce and is no access token', async () => {
    const answer = await exchange(running, codeOf(await createBrowser(running).logOn({ nonce: 'n-1' })))
    const idToken = String(answer.json()['id_token'])
    expect(claimsOf(idToken)).toMatchObject({ aud: [ids.app], nonce: 'n-1', user_name: 'Jane@acme.test' })
    const misuse = await running.token({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', ...app, assertion: idToken })
    expect(misuse.status).toBe(401)
  })
})
