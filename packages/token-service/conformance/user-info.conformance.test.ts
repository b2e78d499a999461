import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, claimsOf, ids, type RunningService, secrets, startService } from './running-service.ts'

let running: RunningService
beforeEach(async () => {
  running = await startService()
})
afterEach(() => running[Symbol.asyncDispose]())

const userInfo = (token: string, method = 'GET'): Promise<Answer> =>
  running.call({ method, path: '/userinfo', headers: { authorization: `Bearer ${token}` } })

describe('/userinfo', () => {
  it.each(['GET', 'POST'])('tells with %s about the user of a token, attributes too', async (method) => {
    const token = await running.userToken()
    const answer = await userInfo(token, method)
    const { user_id } = claimsOf(token)
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({
      sub: user_id,
      user_id,
      user_name: 'Jane@acme.test',
      user_attributes: { country: ['DE'], costcenter: ['1', '2'] },
    })
    expect((await userInfo(await running.userToken('root'))).json()).toMatchObject({ email: 'root@acme.test' })
  })

  it('is where the discovery document says', async () => {
    const document = (await running.call({ path: '/.well-known/openid-configuration' })).json()
    expect(new URL(String(document['userinfo_endpoint'])).pathname).toBe('/userinfo')
  })

  it('needs a user token with the scope openid that still holds', async () => {
    const technical = (await running.service.issueClientToken({ clientId: ids.app })).access_token
    expect((await userInfo(technical)).status).toBe(401)
    expect((await running.call({ path: '/userinfo' })).status).toBe(401)
    expect((await userInfo('a.b.c')).status).toBe(401)
    const narrow = await running.service.issueUserToken({ tenant: ids.tenant, user: 'root', clientId: ids.app, scopes: ['app!t1.Admin'] })
    const answer = await userInfo(narrow.access_token)
    expect([answer.status, answer.json()['error']]).toEqual([403, 'insufficient_scope'])
    const token = await running.userToken()
    running.clock.advance(24 * 3_600_000)
    expect((await userInfo(token)).status).toBe(401)
    expect(JSON.stringify(running.logged)).not.toContain(secrets.app)
  })

  it('says which methods there are', async () => {
    const answer = await running.call({ method: 'DELETE', path: '/userinfo' })
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, HEAD, POST'])
  })
})
