import { type Slapd, skipUnless, startSlapd } from '@sallyport/real-backends'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, type BenchAnswer, startAdministrationBench } from '../conformance/administration-bench.ts'
import { resetAccess } from '../src/index.ts'

const base = '/api/v1/configuration/connector'
const ldap = '/api/v2/configuration/connector/authentication/ldap'
const session = '/api/private/v1/session'
const suffix = 'dc=acme,dc=test'
const ca = createTestCa()

const person = (ou: string, uid: string, password: string, more: readonly string[] = []): readonly string[] => [
  `dn: cn=${uid} of ${ou},ou=${ou},${suffix}`,
  'objectClass: inetOrgPerson',
  `cn: ${uid} of ${ou}`,
  `sn: ${uid}`,
  `uid: ${uid}`,
  `userPassword: ${password}`,
  ...more,
]
const group = (cn: string, ...members: readonly string[]): readonly string[] => [
  `dn: cn=${cn},ou=groups,${suffix}`,
  'objectClass: groupOfNames',
  `cn: ${cn}`,
  ...members.map((member) => `member: ${member}`),
]
const unit = (ou: string): readonly string[] => [`dn: ou=${ou},${suffix}`, 'objectClass: organizationalUnit', `ou: ${ou}`]
const ldifOf = (...entries: readonly (readonly string[])[]): string =>
  [['dn: dc=acme,dc=test', 'objectClass: dcObject', 'objectClass: organization', 'dc: acme', 'o: Acme'], ...entries]
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')

const people = [unit('people'), unit('guests'), unit('groups')]
const jane = `cn=jane of people,ou=people,${suffix}`
const joe = `cn=joe of people,ou=people,${suffix}`

describe.skipIf(skipUnless('slapd', 'slapadd'))('users of a directory', () => {
  let first: Slapd
  let second: Slapd
  let bench: AdministrationBench

  beforeAll(async () => {
    const tls = { ca: ca.certificate, ...ca.issue({ subject: '/CN=directory', names: ['127.0.0.1'] }) }
    const configuration = ['access to attrs=userPassword by anonymous auth by * none', 'access to * by * read'].join('\n')
    first = await startSlapd({
      tls,
      configuration,
      ldif: ldifOf(
        ...people,
        person('people', 'jane', 'password-of-jane', ['employeeType: sccsupport']),
        person('people', 'joe', 'password-of-joe'),
        person('people', 'twin', 'password-of-twin'),
        person('guests', 'twin', 'password-of-twin'),
        group('sccadmin', jane),
        group('operators', joe),
      ),
    })
    second = await startSlapd({
      configuration,
      ldif: ldifOf(
        ...people,
        person('people', 'joe', 'password-of-joe'),
        person('people', 'ann', 'password-of-ann'),
        person('people', 'twin', 'password-of-twin'),
        group('sccdisplay', joe, `cn=ann of people,ou=people,${suffix}`),
      ),
    })
  })
  afterAll(async () => {
    await first?.stop()
    await second?.stop()
  })
  beforeEach(async () => {
    bench = await startAdministrationBench({ haRole: 'master' })
    await bench.send('PUT', `${base}/authentication/basic`, {
      user: 'Administrator:manage',
      body: { oldPassword: 'manage', newPassword: 'new' },
    })
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  const rules = `userBase="${suffix}" userSearch="(uid={0})" userSubtree="true" roleBase="ou=groups,${suffix}" roleSearch="(member={0})" roleName="cn"`
  const server = (slapd: Slapd, more: object = {}): object => ({
    config: rules,
    hosts: [{ host: '127.0.0.1', port: slapd.port, isSecure: false }],
    ...more,
  })
  const enable = (...orderedLdapConfigurations: readonly object[]): Promise<BenchAnswer> =>
    bench.call('PUT', ldap, { enabled: true, orderedLdapConfigurations })
  const rolesOf = async (user: string): Promise<unknown> => {
    const [name, password] = user.split(':')
    const answer = await bench.send('POST', session, { body: { user: name, password } })
    return answer.status === 200 ? answer.json().roles : answer.status
  }

  it('CC-116 log on instead of the local user, whose sessions end', async () => {
    const { headers } = await bench.send('GET', base, { user: 'Administrator:new' })
    expect((await enable(server(first))).status).toBe(204)
    expect((await bench.send('GET', base, { user: 'jane:password-of-jane' })).status).toBe(200)
    expect((await bench.send('GET', base, { user: 'Administrator:new' })).status).toBe(401)
    const cookie = String(headers['set-cookie']).split(';')[0] ?? ''
    expect((await bench.send('GET', base, { headers: { cookie } })).headers['content-type']).toMatch(/^text\/html/)
    expect((await bench.send('GET', base, { user: 'jane:wrong' })).status).toBe(401)
    expect((await bench.send('GET', base, { user: 'jane:' })).status).toBe(401)
    expect((await bench.send('GET', base, { user: '*:password-of-jane' })).status).toBe(401)
  })

  it('CC-117 there are three directories at most', async () => {
    for (let count = 1; count <= 3; count += 1) expect((await bench.call('POST', `${ldap}/servers`, server(first))).status).toBe(201)
    expect((await bench.call('POST', `${ldap}/servers`, server(first))).status).toBe(400)
    expect((await enable(...Array.from({ length: 4 }, () => server(first)))).status).toBe(400)
    expect((await bench.call('GET', ldap)).json().orderedLdapConfigurations).toHaveLength(3)
  })

  it('CC-118 the first directory that knows a user and his password decides about his roles', async () => {
    await enable(server(first), server(second))
    expect(await rolesOf('joe:password-of-joe')).toEqual([])
    expect(await rolesOf('ann:password-of-ann')).toEqual(['sccdisplay'])
    const [{ id }] = (await bench.call('GET', ldap)).json().orderedLdapConfigurations
    expect((await bench.call('POST', `${ldap}/servers/${id}/move`, { position: 1 })).status).toBe(204)
    expect(await rolesOf('joe:password-of-joe')).toEqual(['sccdisplay'])
  })

  it('without a role everything is forbidden', async () => {
    await enable(server(first))
    expect((await bench.send('GET', base, { user: 'joe:password-of-joe' })).status).toBe(403)
    expect((await bench.send('GET', session, { user: 'joe:password-of-joe' })).json()).toMatchObject({ user: 'joe', roles: [] })
  })

  it('CC-119 a custom name of a role takes the place of the usual one', async () => {
    await enable(server(first, { customAdminRole: 'operators' }))
    expect(await rolesOf('joe:password-of-joe')).toEqual(['sccadmin'])
    expect(await rolesOf('jane:password-of-jane')).toEqual([])
  })

  it('CC-120 a user who is found twice cannot log on, in a later directory neither', async () => {
    await enable(server(first), server(second))
    expect(await rolesOf('twin:password-of-twin')).toBe(401)
  })

  it('CC-121 the local user is back when the directories are switched off from outside', async () => {
    await enable(server(first))
    await bench[Symbol.asyncDispose]()
    await resetAccess(bench.material, { write: () => {} }, 'use-file-store')
    bench = await startAdministrationBench({ material: bench.material })
    expect((await bench.send('GET', base, { user: 'Administrator:new' })).status).toBe(200)
    expect((await bench.call('GET', ldap)).json()).toMatchObject({ enabled: false, orderedLdapConfigurations: [{ config: rules }] })
  })

  it('roles come from an attribute of the user as well', async () => {
    await enable(server(first, { config: `${rules} userRoleName="employeeType"` }))
    expect(await rolesOf('jane:password-of-jane')).toEqual(['sccadmin', 'sccsupport'])
  })

  it('a later directory can be without administrators, the first one cannot', async () => {
    expect((await enable(server(first, { disableAdministratorRole: true }))).status).toBe(400)
    await enable(server(second), server(first, { disableAdministratorRole: true }))
    expect(await rolesOf('jane:password-of-jane')).toEqual([])
  })

  it('are searched by a user whose password is kept but not told, and stays when it is not sent', async () => {
    const bound = server(first, { user: first.rootDn, password: first.rootPassword })
    expect((await enable(bound)).status).toBe(204)
    const [told] = (await bench.call('GET', ldap)).json().orderedLdapConfigurations
    expect(told).toMatchObject({ user: first.rootDn })
    expect(JSON.stringify(told)).not.toContain(first.rootPassword)
    expect((await bench.call('PUT', `${ldap}/servers/${told.id}`, told)).status).toBe(204)
    expect(await rolesOf('jane:password-of-jane')).toEqual(['sccadmin'])
    expect((await bench.call('PUT', `${ldap}/servers/${told.id}`, { ...told, password: 'wrong' })).status).toBe(409)
    expect(await rolesOf('jane:password-of-jane')).toEqual(['sccadmin'])
  })

  it('the alternate host stands in for one that cannot be reached', async () => {
    const hosts = [
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.1', port: first.port },
    ]
    expect((await enable(server(first, { hosts }))).status).toBe(204)
    expect(await rolesOf('jane:password-of-jane')).toEqual(['sccadmin'])
  })

  it('a directory behind TLS has to be trusted', async () => {
    const secure = server(first, { hosts: [{ host: '127.0.0.1', port: first.securePort, isSecure: true }] })
    expect((await enable(secure)).status).toBe(409)
    const trust = { mode: 'listed', certificates: [ca.certificate] }
    expect((await bench.call('PUT', '/api/private/v1/ldap/trust', trust)).status).toBe(204)
    expect((await enable(secure)).status).toBe(204)
    expect(await rolesOf('jane:password-of-jane')).toEqual(['sccadmin'])
  })

  it('what cannot be reached is refused with 409, stores nothing and leaves LDAP disabled', async () => {
    await enable(server(first))
    const answer = await enable(server(first, { hosts: [{ host: '127.0.0.1', port: 1 }] }))
    expect([answer.status, answer.json().type]).toEqual([409, 'ILLEGAL_STATE'])
    expect((await bench.call('GET', ldap)).json()).toMatchObject({
      enabled: false,
      orderedLdapConfigurations: [{ hosts: [{ port: first.port }] }],
    })
  })

  it('drafts decide nothing, and can be tested one by one with a protocol', async () => {
    const added = await bench.call('POST', `${ldap}/servers`, server(first))
    const path = new URL(String(added.headers['location'])).pathname
    const { id } = (await bench.call('GET', path)).json()
    expect((await bench.send('GET', base, { user: 'Administrator:new' })).status).toBe(200)
    const test = (body: object): Promise<BenchAnswer> => bench.call('POST', `/api/private/v1/ldap/servers/${id}/test`, body)
    const right = await test({ user: 'jane', password: 'password-of-jane' })
    expect(right.json()).toMatchObject({ success: true, roles: ['sccadmin'] })
    expect(right.json().protocol.join('\n')).toContain(`found "${jane}"`)
    expect(right.body).not.toContain('password-of-jane')
    expect((await test({ user: 'jane', password: 'wrong' })).json()).toMatchObject({ success: false, roles: [] })
    expect((await bench.call('DELETE', path)).status).toBe(409)
  })

  it('clients of the first version have one directory', async () => {
    const v1 = `${base}/authentication`
    expect((await bench.call('PUT', `${v1}/ldap`, { enable: true, configuration: server(first) })).status).toBe(204)
    expect((await bench.call('GET', v1)).json()).toMatchObject({ type: 'ldap', configuration: { config: rules } })
    expect((await bench.call('PUT', `${v1}/ldap`, { enable: false })).status).toBe(204)
    expect((await bench.call('GET', v1)).json()).toEqual({ type: 'basic' })
  })

  it('a directory that refers to others fails log-ons, unless that is to be passed over', async () => {
    const reference = [
      `dn: ou=elsewhere,${suffix}`,
      'objectClass: referral',
      'objectClass: extensibleObject',
      'ou: elsewhere',
      `ref: ldap://other.acme.test/ou=elsewhere,${suffix}`,
    ]
    await using referring = await startSlapd({
      configuration: 'access to attrs=userPassword by anonymous auth by * none\naccess to * by * read',
      ldif: ldifOf(...people, person('people', 'jane', 'password-of-jane'), group('sccadmin', jane), reference),
    })
    await enable(server(referring))
    expect(await rolesOf('jane:password-of-jane')).toBe(503)
    await enable(server(referring, { config: `${rules} adCompat="true"` }))
    expect(await rolesOf('jane:password-of-jane')).toEqual(['sccadmin'])
  })

  it('while a directory is silent or gone, a log-on says so instead of counting as wrong', async () => {
    await enable(server(second), server(first))
    await second.stop()
    expect(await rolesOf('jane:password-of-jane')).toEqual(['sccadmin'])
    for (let time = 0; time < 6; time += 1) expect(await rolesOf('ann:password-of-ann')).toBe(503)
  })
})
