import { createHash, randomBytes } from 'node:crypto'
import {
  createSecret,
  type Credentials,
  type Dial,
  type LdapDestination,
  parseDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { type Slapd, skipUnless, startSlapd } from '@sallyport/real-backends'
import { createSocksServer, createTestCa, type SocksServer } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLdapAdapter, dnText, filterText, type LdapClient, type LdapDriverName, type LdapTlsOptions } from '../src/index.ts'

const people = 'ou=people,dc=acme,dc=test'
const awkward = ['Doe, Jane "J" <x>', 'a+b=c;d', '#first', ' blanks ', 'back\\slash', 'Jürgen Straße', '日本', 'star*(paren)']
const photo = Buffer.concat([Buffer.from('efbbbf', 'hex'), randomBytes(3000)])
const count = 250

const directory = [
  ['dn: dc=acme,dc=test', 'objectClass: dcObject', 'objectClass: organization', 'dc: acme', 'o: Acme'],
  [`dn: ${people}`, 'objectClass: organizationalUnit', 'ou: people'],
  ['dn: cn=app,dc=acme,dc=test', 'objectClass: person', 'cn: app', 'sn: app', 'userPassword: password-of-the-app'],
  [
    'dn: ou=elsewhere,dc=acme,dc=test',
    'objectClass: referral',
    'objectClass: extensibleObject',
    'ou: elsewhere',
    'ref: ldap://other.acme.test/ou=elsewhere,dc=acme,dc=test',
  ],
  ...Array.from({ length: count }, (_, index) => [
    `dn: uid=user${index},${people}`,
    'objectClass: inetOrgPerson',
    `uid: user${index}`,
    `cn: User ${index}`,
    'sn: User',
  ]),
]
  .map((lines) => `${lines.join('\n')}\n`)
  .join('\n')

const ca = createTestCa()
const signal = (): AbortSignal => AbortSignal.timeout(10_000)

describe.skipIf(skipUnless('slapd', 'slapadd')).each<LdapDriverName>(['ldapjs', 'ldapts'])('slapd through %s', (driver) => {
  let slapd: Slapd
  let proxy: SocksServer
  const app: Credentials = { kind: 'basic', user: 'cn=app,dc=acme,dc=test', password: createSecret('password-of-the-app') }

  beforeAll(async () => {
    const access = ['access to attrs=userPassword by anonymous auth by * none', 'access to * by dn="cn=app,dc=acme,dc=test" read by * read']
    slapd = await startSlapd({
      tls: { ca: ca.certificate, ...ca.issue({ subject: '/CN=directory.acme.test', names: ['directory.acme.test'] }) },
      ldif: directory,
      configuration: access.join('\n'),
    })
    proxy = await createSocksServer({ token: 't.t.t', route: (_host, port) => ({ host: '127.0.0.1', port }) })
  })
  afterAll(async () => {
    await slapd[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
  })

  const root = (): Credentials => ({ kind: 'basic', user: slapd.rootDn, password: createSecret(slapd.rootPassword) })
  const socks5 = (): Dial => createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret('t.t.t') })
  function connect(
    credentials: Credentials,
    { url = `ldap://127.0.0.1:${slapd.port}`, properties = {}, tls = {}, dial = createDirectDial() }: Where = {},
  ): Promise<LdapClient> {
    const destination = parseDestination({ Name: 'DIRECTORY', Type: 'LDAP', 'ldap.url': url, 'ldap.baseDN': people, ...properties })
    return createLdapAdapter({ clock: systemClock, driver, tls }).connect(destination as LdapDestination, {
      dial,
      credentials,
      signal: signal(),
      log: silentLogger,
    })
  }

  describe.each(['direct', 'socks5'] as const)('%s', (way) => {
    const where = (): Where => (way === 'direct' ? {} : { url: `ldap://directory.virtual:${slapd.port}`, dial: socks5() })

    it(`${driver === 'ldapjs' ? 'PR-025' : 'PR-026'} searches, adds, modifies, compares, renames and deletes`, async () => {
      await using client = await connect(root(), where())
      for (const [index, name] of awkward.entries()) {
        const dn = dnText`cn=${name},ou=people,dc=acme,dc=test`
        await client.add(dn, { objectClass: ['inetOrgPerson'], cn: name, sn: 'Awkward', jpegPhoto: photo, description: ['one', 'two'] })
        const [found, ...more] = await Array.fromAsync(client.search({ filter: filterText`(cn=${name})` }))
        expect(more).toEqual([])
        expect(found?.attributes).toMatchObject({ cn: [name], sn: ['Awkward'], description: ['one', 'two'] })
        expect(hash(found?.binary['jpegPhoto']?.[0])).toBe(hash(photo))
        await client.modify(dn, [
          { operation: 'delete', attribute: 'description', values: 'one' },
          { operation: 'add', attribute: 'mail', values: ['a@acme.test', 'b@acme.test'] },
          { operation: 'replace', attribute: 'sn', values: 'Changed' },
          { operation: 'delete', attribute: 'jpegPhoto' },
        ])
        const [changed] = await Array.fromAsync(client.search({ base: found!.dn, scope: 'base' }))
        expect(changed?.attributes).toMatchObject({ sn: ['Changed'], description: ['two'], mail: ['a@acme.test', 'b@acme.test'] })
        expect(changed?.binary).toEqual({})
        expect([await client.compare(dn, 'sn', 'Changed'), await client.compare(dn, 'sn', 'Awkward')]).toEqual([true, false])
        const renamed = `cn=renamed ${index},dc=acme,dc=test`
        await client.modifyDn(dn, renamed)
        expect(await Array.fromAsync(client.search({ base: renamed, scope: 'base', attributes: ['1.1'] }))).toEqual([
          { dn: renamed, attributes: {}, binary: {} },
        ])
        await client.delete(renamed)
      }
      expect(await Array.fromAsync(client.search({ filter: '(sn=Changed)' }))).toEqual([])
    })

    it('PR-030 a search in pages returns every entry across page borders', async () => {
      await using client = await connect(app, where())
      const expected = Array.from({ length: count }, (_, index) => `uid=user${index},${people}`).toSorted()
      for (const pageSize of [1, 49, 50, 125, count - 1, count, count + 1]) {
        const search = client.search({ filter: '(objectClass=inetOrgPerson)', attributes: ['uid'], pageSize, signal: signal() })
        expect((await Array.fromAsync(search, ({ dn }) => dn)).toSorted(), `pages of ${pageSize}`).toEqual(expected)
      }
      expect((await Array.fromAsync(client.search({ scope: 'one' }))).length).toBe(count)
    })
  })

  it('PR-023 binds before the first operation with BasicAuthentication, and sends no bind without', async () => {
    const seen = (): string[] =>
      [...slapd.log().matchAll(/op=\d+ (BIND dn="[^"]*" method|SRCH base|UNBIND)/g)].map(([, what]) => what ?? '')
    const operationsOf = async (credentials: Credentials): Promise<string[]> => {
      const before = seen().length
      await using client = await connect(credentials)
      await client.ping(signal())
      await client[Symbol.asyncDispose]()
      await expect.poll(() => seen().at(-1)).toBe('UNBIND')
      return seen().slice(before)
    }
    expect(await operationsOf(app)).toEqual(['BIND dn="cn=app,dc=acme,dc=test" method', 'SRCH base', 'UNBIND'])
    expect(await operationsOf({ kind: 'none' })).toEqual(['SRCH base', 'UNBIND'])
  })

  it('a wrong password is LOGON_REFUSED with the code of the result', async () => {
    await using client = await connect({ kind: 'basic', user: 'cn=app,dc=acme,dc=test', password: createSecret('wrong-password') })
    await expect(client.ping(signal())).rejects.toMatchObject({
      code: 'LOGON_REFUSED',
      details: { resultCode: 49, matchedDn: '', diagnosticMessage: '' },
    })
    await using other = await connect(root())
    await expect(other.bind('no dn at all', createSecret('password'))).rejects.toMatchObject({
      code: expect.stringMatching(/OPERATION_REFUSED|MESSAGE_INVALID/),
    })
  })

  it('tells what the server declines by code, with what it says', async () => {
    await using client = await connect(root())
    await using reader = await connect(app)
    const dn = `uid=user0,${people}`
    await expect(client.add(dn, { objectClass: 'inetOrgPerson', cn: 'x', sn: 'x' })).rejects.toMatchObject({
      code: 'OPERATION_REFUSED',
      details: { resultCode: 68 },
    })
    await expect(client.add(`uid=x,${people}`, { objectClass: 'inetOrgPerson' })).rejects.toMatchObject({
      code: 'OPERATION_REFUSED',
      details: { resultCode: 65, diagnosticMessage: expect.stringContaining('sn') },
    })
    await expect(client.delete(`uid=nobody,${people}`)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { resultCode: 32, matchedDn: people },
    })
    await expect(reader.delete(dn)).rejects.toMatchObject({ code: 'OPERATION_FORBIDDEN', details: { resultCode: 50 } })
    await expect(client.exop('1.2.3.4')).rejects.toMatchObject({ code: 'OPERATION_REFUSED', details: { resultCode: 2 } })
    await expect(Array.fromAsync(client.search({ filter: '(((' }))).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
    await client.ping(signal())
  })

  it('PR-031 referrals are reported, not followed', async () => {
    await using client = await connect(app)
    const search = client.search({ base: 'dc=acme,dc=test', scope: 'one' })
    expect((await Array.fromAsync(search, ({ dn }) => dn)).toSorted()).toEqual(['cn=app,dc=acme,dc=test', people])
    expect(search.references).toEqual(['ldap://other.acme.test/ou=elsewhere,dc=acme,dc=test??base'])
    await expect(client.delete('cn=x,ou=elsewhere,dc=acme,dc=test')).rejects.toMatchObject({
      code: 'OPERATION_REFUSED',
      details: { resultCode: 10, referrals: 'ldap://other.acme.test/cn=x,ou=elsewhere,dc=acme,dc=test' },
    })
  })

  it('stops at a size limit after the last entry, with and without pages', async () => {
    await using client = await connect(app)
    for (const pageSize of [undefined, 7, 100]) {
      const found: string[] = []
      const reading = (async () => {
        for await (const { dn } of client.search({ scope: 'one', sizeLimit: 20, ...(pageSize === undefined ? {} : { pageSize }) }))
          found.push(dn)
      })()
      await expect(reading).rejects.toMatchObject({ code: 'OPERATION_REFUSED', details: { resultCode: 4 } })
      expect(found).toHaveLength(20)
    }
    expect(await Array.fromAsync(client.search({ scope: 'one', sizeLimit: count }))).toHaveLength(count)
  })

  it('leaves a search that is broken off and does many things at once', async () => {
    await using client = await connect(app)
    for await (const { dn } of client.search({ scope: 'one', pageSize: 10 })) if (dn.startsWith('uid=user12,')) break
    const names = Array.from({ length: 60 }, (_, index) => `user${index}`)
    const found = await Promise.all(
      names.map(async (uid) => Array.fromAsync(client.search({ filter: filterText`(uid=${uid})`, attributes: ['uid'] }))),
    )
    expect(found.map(([entry]) => entry?.attributes['uid']?.[0])).toEqual(names)
  })

  it('goes on as another user after a bind, and as it was when that is refused', async () => {
    await using client = await connect(app)
    const whoAmI = async (): Promise<string | undefined> => (await client.exop('1.3.6.1.4.1.4203.1.11.3')).value?.toString()
    expect(await whoAmI()).toBe('dn:cn=app,dc=acme,dc=test')
    await client.bind(slapd.rootDn, createSecret(slapd.rootPassword))
    expect(await whoAmI()).toBe(`dn:${slapd.rootDn}`)
    await expect(client.bind('cn=app,dc=acme,dc=test', createSecret('wrong'))).rejects.toMatchObject({ code: 'LOGON_REFUSED' })
    expect(await whoAmI()).toBe(`dn:${slapd.rootDn}`)
    await client.unbind()
    expect(await whoAmI()).toBe('dn:cn=app,dc=acme,dc=test')
  })

  describe('TLS', () => {
    const trusted: LdapTlsOptions = { ca: [ca.certificate], servername: 'directory.acme.test' }
    const secure = (): Where => ({ url: `ldaps://127.0.0.1:${slapd.securePort}`, tls: trusted })
    const startTls = (): Where => ({ properties: { 'ldap.startTls': 'true' }, tls: trusted })

    it.each(['direct', 'socks5'] as const)('PR-027 ldaps end to end verifies the server name given by tls.servername (%s)', async (way) => {
      const where = way === 'direct' ? secure() : { ...secure(), url: `ldaps://directory.virtual:${slapd.securePort}`, dial: socks5() }
      await using client = await connect(app, where)
      expect(await Array.fromAsync(client.search({ filter: '(uid=user7)' }))).toHaveLength(1)
      await using unnamed = await connect(app, { ...where, tls: { ca: [ca.certificate] } })
      await expect(unnamed.ping(signal())).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
      await using untrusting = await connect(app, { ...where, tls: { servername: 'directory.acme.test' } })
      await expect(untrusting.ping(signal())).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
    })

    it('PR-028 StartTLS secures the connection before the bind; a failed handshake closes it', async () => {
      const mark = slapd.log().length
      await using client = await connect(app, startTls())
      await client.ping(signal())
      expect(slapd.log().slice(mark)).toMatch(/STARTTLS[^]*TLS established[^]*BIND dn="cn=app,dc=acme,dc=test" method/)
      const before = slapd.log().length
      await using failing = await connect(app, { ...startTls(), tls: { ca: [ca.certificate], servername: 'another.acme.test' } })
      await expect(failing.ping(signal())).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
      await expect.poll(() => slapd.log().slice(before)).toMatch(/STARTTLS[^]*closed \(/)
      expect(slapd.log().slice(before)).not.toContain('BIND')
    })
  })
})

interface Where {
  readonly url?: string
  readonly properties?: Readonly<Record<string, string>>
  readonly tls?: LdapTlsOptions
  readonly dial?: Dial
}

function hash(bytes: Buffer | undefined): string {
  return createHash('sha256')
    .update(bytes ?? '')
    .digest('hex')
}
