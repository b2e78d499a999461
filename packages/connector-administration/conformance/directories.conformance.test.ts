import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, type BenchAnswer, startAdministrationBench } from './administration-bench.ts'

const ldap = '/api/v2/configuration/connector/authentication/ldap'
const first = '/api/v1/configuration/connector/authentication/ldap'
const hosts = [{ host: 'ldap.acme.test', port: 389, isSecure: false }]
const config = 'userBase="dc=acme" userSearch="(uid={0})" roleBase="dc=acme" roleSearch="(member={0})" roleName="cn"'
const server = { config, hosts, user: 'cn=reader' }

let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
})
afterEach(() => bench[Symbol.asyncDispose]())

/** One directory as a draft, which nobody asks. */
const add = async (): Promise<string> => {
  const added = await bench.call('POST', `${ldap}/servers`, { ...server, password: 'secret' })
  expect(added.status).toBe(201)
  return new URL(String(added.headers['location'])).pathname
}
const password = (): string | undefined => bench.access.editor.settings.ldap.stores[0]?.password

describe('the stored password of a directory', () => {
  const elsewhere = [
    ['another host', { hosts: [{ ...hosts[0], host: 'evil.test' }] }],
    ['another port', { hosts: [{ ...hosts[0], port: 1389 }] }],
    ['no TLS or another', { hosts: [{ ...hosts[0], isSecure: true }] }],
    ['a second host', { hosts: [...hosts, { ...hosts[0], host: 'evil.test' }] }],
    ['another user', { user: 'cn=other' }],
  ] as const

  it.each(elsewhere)('has to be given again with %s', async (_what, change) => {
    const path = await add()
    const id = path.split('/').at(-1)
    const writes: readonly (() => Promise<BenchAnswer>)[] = [
      () => bench.call('PUT', path, { ...server, ...change }),
      () => bench.call('PUT', ldap, { enabled: false, orderedLdapConfigurations: [{ id, ...server, ...change }] }),
      () => bench.call('PUT', first, { enable: false, configuration: { ...server, ...change } }),
    ]
    for (const write of writes) {
      const answer = await write()
      expect([answer.status, answer.json().message]).toEqual([400, expect.stringContaining('password: it has to be given again')])
      expect(bench.access.editor.settings.ldap.stores).toMatchObject([{ hosts, user: 'cn=reader', password: 'secret' }])
    }
    expect((await bench.call('PUT', path, { ...server, ...change, password: 'again' })).status).toBe(204)
    expect(bench.access.editor.settings.ldap.stores).toMatchObject([{ ...change, password: 'again' }])
  })

  it('stays with the same user and hosts, and goes with the user', async () => {
    const path = await add()
    expect((await bench.call('PUT', path, { ...server, customAdminRole: 'operators' })).status).toBe(204)
    expect(password()).toBe('secret')
    expect((await bench.call('PUT', path, { ...server, user: '' })).status).toBe(204)
    expect(password()).toBeUndefined()
  })
})

describe('an administrator out of a directory', () => {
  const basic = '/api/v1/configuration/connector/authentication/basic'
  const session = '/api/private/v1/session'
  let headers: Readonly<Record<string, string>>

  beforeEach(async () => {
    await bench.send('PUT', basic, { user: 'Administrator:manage', body: { oldPassword: 'manage', newPassword: 'new' } })
    const { editor, sessions } = bench.access
    const store = { id: 'one', config, hosts, disableAdministratorRole: false }
    await editor.change('test', (settings) => ({ ...settings, ldap: { ...settings.ldap, enabled: true, stores: [store] } }))
    const { id, token } = sessions.open({ name: 'jane', roles: ['sccadmin'] })
    headers = { cookie: `JSESSIONID=${id}`, 'x-csrf-token': token }
  })
  const who = async (): Promise<string> => {
    const answer = await bench.send('GET', session, { headers })
    return String(answer.headers['content-type']).startsWith('text/html') ? 'nobody' : answer.json().user
  }

  it.each([
    ['password', { oldPassword: 'new', newPassword: 'newer' }],
    ['name', { user: 'root', password: 'new' }],
  ])('stays who he is when he changes the %s of the local user, and the audit log tells so', async (_what, body) => {
    const before = bench.audited.length
    expect((await bench.send('PUT', basic, { headers, body })).status).toBe(204)
    expect(await who()).toBe('jane')
    expect(bench.audited.slice(before).map(({ user }) => user)).toEqual(['jane'])
  })

  it.each([
    ['second', ldap, { enabled: true, orderedLdapConfigurations: 'none' }],
    ['first', first, { enable: true, configuration: { hosts: [] } }],
  ])('is logged off when a refused change of the %s version disables the directories', async (_version, path, body) => {
    expect(await who()).toBe('jane')
    expect((await bench.send('PUT', path, { headers, body })).status).toBe(400)
    expect(bench.access.editor.settings.ldap.enabled).toBe(false)
    expect(await who()).toBe('nobody')
  })
})
