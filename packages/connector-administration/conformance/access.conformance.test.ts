import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, type BenchAnswer, startAdministrationBench } from './administration-bench.ts'

const base = '/api/v1/configuration/connector'
const basic = `${base}/authentication/basic`
const session = '/api/private/v1/session'
const initial = 'Administrator:manage'
const changed = 'Administrator:new'

let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
})
afterEach(() => bench[Symbol.asyncDispose]())

const changePassword = (oldPassword: string, newPassword: string, user = initial): Promise<BenchAnswer> =>
  bench.send('PUT', basic, { user, body: { oldPassword, newPassword } })
const told = (answer: BenchAnswer): unknown => [answer.status, answer.json().type]

describe('a fresh installation', () => {
  it('CC-002 CC-115 knows exactly one user, Administrator with the initial password, case-sensitive', async () => {
    const version = '/api/v1/configuration/connector/authentication/basic'
    expect((await bench.send('PUT', version, { user: initial, body: {} })).status).toBe(400)
    for (const user of ['administrator:manage', 'Administrator:Manage', 'admin:manage', 'Administrator:'])
      expect([user, (await bench.send('PUT', version, { user, body: {} })).status]).toEqual([user, 401])
    await changePassword('manage', 'new')
    expect((await bench.send('GET', base, { user: initial })).status).toBe(401)
    expect((await bench.send('GET', session, { user: changed })).json()).toMatchObject({ user: 'Administrator', roles: ['sccadmin'] })
    expect(bench.access.editor.settings.localUser).toMatchObject({ name: 'Administrator' })
  })

  it.each([
    ['GET', base],
    ['PUT', base],
    ['GET', `${base}/haRole`],
    ['POST', `${base}/haRole`],
    ['GET', '/api/v1/connector/version'],
    ['GET', '/api/monitoring/subaccounts'],
  ])('CC-003 refuses %s %s until the initial password is changed', async (method, path) => {
    const answer = await bench.send(method, path, { user: initial, ...(method === 'GET' ? {} : { body: 'master' }) })
    expect([answer.status, answer.json()]).toEqual([
      403,
      { type: 'FORBIDDEN_REQUEST', message: 'operation unavailable unless initial password is changed' },
    ])
    await changePassword('manage', 'new')
    expect((await bench.send(method, path, { user: changed, ...(method === 'GET' ? {} : { body: 'master' }) })).status).not.toBe(403)
  })
})

describe('changes of the local user', () => {
  it('CC-004 a new password that is the old one is refused', async () => {
    expect(told(await changePassword('manage', 'manage'))).toEqual([400, 'INVALID_REQUEST'])
    expect((await bench.send('GET', base, { user: initial })).status).toBe(403)
  })

  it('CC-005 a wrong current password is refused, for the password and for the name', async () => {
    expect(told(await changePassword('wrong', 'new'))).toEqual([400, 'INVALID_REQUEST'])
    expect(told(await bench.send('PUT', basic, { user: initial, body: { user: 'jane', password: 'wrong' } }))).toEqual([
      400,
      'INVALID_REQUEST',
    ])
    expect((await changePassword('manage', 'new')).status).toBe(204)
  })

  it('CC-006 any other password will do', async () => {
    expect((await changePassword('manage', 'x')).status).toBe(204)
    expect((await bench.send('GET', base, { user: 'Administrator:x' })).status).toBe(200)
  })

  it('CC-007 name and new password together are acknowledged and change nothing', async () => {
    const body = { user: 'jane', oldPassword: 'manage', newPassword: 'new' }
    expect((await bench.send('PUT', basic, { user: initial, body })).status).toBe(204)
    expect((await bench.send('GET', base, { user: changed })).status).toBe(401)
    expect((await bench.send('GET', base, { user: 'jane:manage' })).status).toBe(401)
    expect((await bench.send('GET', base, { user: initial })).status).toBe(403)
  })

  it('the name changes without the password, and both are kept over a restart', async () => {
    await changePassword('manage', 'new')
    expect((await bench.send('PUT', basic, { user: changed, body: { user: 'jane', password: 'new' } })).status).toBe(204)
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ material: bench.material })
    expect((await bench.send('GET', base, { user: 'jane:new' })).status).toBe(200)
    expect((await bench.send('GET', base, { user: changed })).status).toBe(401)
  })

  it('wrong passwords in changes are counted as well', async () => {
    for (let time = 0; time < 5; time += 1) await changePassword('wrong', 'new')
    expect((await changePassword('manage', 'new')).status).toBe(400)
    bench.clock.advance(300_000)
    expect((await changePassword('manage', 'new')).status).toBe(204)
  })

  it('five wrong passwords lock for five minutes', async () => {
    for (let time = 0; time < 5; time += 1) await bench.send('GET', base, { user: 'Administrator:wrong' })
    expect((await bench.send('GET', base, { user: initial })).status).toBe(401)
    const refusals = bench.audited.filter(({ type }) => type === 'log-on-refused')
    expect(refusals.map(({ message, user }) => [user, message])).toEqual([
      ...Array.from({ length: 4 }, () => [
        'Administrator',
        'Log-on of user Administrator from 127.0.0.1 was refused: the password is wrong',
      ]),
      ['Administrator', expect.stringContaining('the user is locked for this address now')],
    ])
    bench.clock.advance(300_000)
    expect((await bench.send('GET', base, { user: initial })).status).toBe(403)
  })
})

describe('sessions', () => {
  beforeEach(() => changePassword('manage', 'new'))
  const open = async (): Promise<{ readonly cookie: string; readonly token: string }> => {
    const { headers } = await bench.send('GET', base, { user: changed })
    const cookie = String(headers['set-cookie']).split(';')[0] ?? ''
    return { cookie, token: String(headers['x-csrf-token']) }
  }

  it('CC-166 clients that send user and password need no token; in a session changes without it are refused', async () => {
    const body = { description: 'x' }
    expect((await bench.send('PUT', base, { user: changed, body })).status).toBe(200)
    const { cookie, token } = await open()
    expect((await bench.send('GET', base, { headers: { cookie } })).status).toBe(200)
    expect(told(await bench.send('PUT', base, { body, headers: { cookie } }))).toEqual([403, 'FORBIDDEN_REQUEST'])
    expect(told(await bench.send('PUT', base, { body, user: changed, headers: { cookie } }))).toEqual([403, 'FORBIDDEN_REQUEST'])
    expect((await bench.send('PUT', base, { body, headers: { cookie, 'x-csrf-token': `${token}x` } })).status).toBe(403)
    expect((await bench.send('PUT', base, { body, headers: { cookie, 'x-csrf-token': token } })).status).toBe(200)
  })

  it('the cookie is for this server, for HTTPS and not for scripts', async () => {
    const { headers } = await bench.send('GET', base, { user: changed })
    expect(String(headers['set-cookie'])).toMatch(/^JSESSIONID=[\w-]{32}; Path=\/; Secure; HttpOnly; SameSite=Strict$/)
  })

  it('CC-167 with Connection: close there is no token, and the session of the cookie ends', async () => {
    const { headers } = await bench.send('GET', base, { user: changed, headers: { connection: 'close' } })
    expect([headers['set-cookie'], headers['x-csrf-token']]).toEqual([undefined, undefined])
    const { cookie } = await open()
    expect((await bench.send('GET', base, { headers: { cookie, connection: 'close' } })).json()).toMatchObject({ ha: 'master' })
    expect((await bench.send('GET', base, { headers: { cookie } })).headers['content-type']).toMatch(/^text\/html/)
  })

  it.each([
    ['is not used for half an hour', [1_800_000]],
    ['is used for a working day', Array.from({ length: 25 }, () => 1_740_000)],
  ])('CC-168 one that %s ends, and its requests get 200 and a page', async (_why, pauses) => {
    const { cookie } = await open()
    const [last, ...before] = pauses.toReversed()
    for (const pause of before) {
      bench.clock.advance(pause)
      expect((await bench.send('GET', base, { headers: { cookie } })).json()).toMatchObject({ ha: 'master' })
    }
    bench.clock.advance(last ?? 0)
    const answer = await bench.send('GET', base, { headers: { cookie } })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect((await bench.send('GET', base, { user: changed, headers: { cookie } })).json()).toMatchObject({ ha: 'master' })
  })

  it('others end when the password changes, the own one stays', async () => {
    const mine = await open()
    const other = await open()
    const headers = { cookie: mine.cookie, 'x-csrf-token': mine.token }
    expect((await bench.send('PUT', basic, { body: { oldPassword: 'new', newPassword: 'newer' }, headers })).status).toBe(204)
    expect((await bench.send('GET', base, { headers })).json()).toMatchObject({ ha: 'master' })
    expect((await bench.send('GET', base, { headers: { cookie: other.cookie } })).headers['content-type']).toMatch(/^text\/html/)
  })

  it('no crowd of clients that come once pushes out one that is used', async () => {
    const { cookie } = await open()
    await bench.send('GET', base, { headers: { cookie } })
    for (let time = 0; time < 1100; time += 1) bench.access.sessions.open({ name: 'Administrator', roles: ['sccadmin'] })
    expect((await bench.send('GET', base, { headers: { cookie } })).json()).toMatchObject({ ha: 'master' })
  })

  it('changes from pages of other hosts are refused whatever they bring along', async () => {
    const body = { description: 'x' }
    const send = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await bench.send('PUT', base, { user: changed, body, headers })).status
    expect(await send({ origin: 'https://evil.example' })).toBe(403)
    expect(await send({ 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await send({ origin: 'null' })).toBe(403)
    expect(await send({ origin: `https://127.0.0.1:${bench.port}` })).toBe(200)
  })

  it('are opened by the log-on of our pages, told on the way, and closed by the log-off', async () => {
    expect((await bench.send('POST', session, { body: { user: 'Administrator', password: 'wrong' } })).status).toBe(401)
    const opened = await bench.send('POST', session, { body: { user: 'Administrator', password: 'new' } })
    expect(opened.json()).toMatchObject({ user: 'Administrator', initialPassword: false, haRole: 'master' })
    const headers = {
      cookie: String(opened.headers['set-cookie']).split(';')[0] ?? '',
      'x-csrf-token': String(opened.headers['x-csrf-token']),
    }
    const again = await bench.send('GET', session, { headers: { cookie: headers.cookie } })
    expect(again.headers['x-csrf-token']).toBe(headers['x-csrf-token'])
    expect((await bench.send('DELETE', session, { headers })).status).toBe(204)
    expect((await bench.send('GET', base, { headers })).headers['content-type']).toMatch(/^text\/html/)
  })

  it('nobody is let in without saying who he is', async () => {
    const answer = await bench.send('GET', base)
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Basic realm="cloud connector", charset="UTF-8"'])
  })
})
