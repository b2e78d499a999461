import { writeFileSync } from 'node:fs'
import { silentLogger, systemClock } from '@sallyport/core'
import { createLdapAdapter, type LdapClient, type TlsOptions } from '@sallyport/ldap'
import { type Slapd, skipUnless, startSlapd } from '@sallyport/real-backends'
import { createTcpAdapter } from '@sallyport/tcp'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findDestination } from './found-destination.ts'
import { createInstallation, type Installation } from './installation.ts'

const ca = createTestCa()
const system = ca.issue({ subject: '/CN=connector system', names: [] })
const people = ['jane', 'john', 'eve'].map(
  (uid) =>
    `dn: uid=${uid},dc=acme,dc=test\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: Acme\nuserPassword: password-of-${uid}\n`,
)
const ldif = ['dn: dc=acme,dc=test\nobjectClass: dcObject\nobjectClass: organization\ndc: acme\no: Acme\n', ...people].join('\n')

let slapd: Slapd
let stack: Installation
const opened: AsyncDisposable[] = []

const destination = (name: string, port: number, properties: Readonly<Record<string, string>> = {}): string =>
  `      - ${JSON.stringify({
    Name: name,
    Type: 'LDAP',
    'ldap.proxyType': 'OnPremise',
    'ldap.url': `ldap://corp.ldap:${port}`,
    'ldap.authentication': 'BasicAuthentication',
    'ldap.user': 'uid=jane,dc=acme,dc=test',
    'ldap.password': 'password-of-jane',
    ...properties,
  })}\n`

const signal = (): AbortSignal => AbortSignal.timeout(15_000)
const trusted: TlsOptions = { ca: [ca.certificate], servername: 'localhost' }

describe.skipIf(skipUnless('slapd', 'slapadd', 'ldapsearch', 'ldapwhoami'))('a directory behind the connector', () => {
  beforeAll(async () => {
    slapd = await startSlapd({
      tls: { ca: ca.certificate, ...ca.issue({ subject: '/CN=localhost' }) },
      ldif,
      configuration: 'TLSVerifyClient try\naccess to attrs=userPassword by anonymous auth by * none\naccess to * by * read',
    })
    stack = await createInstallation()
    for (const [name, pem] of Object.entries({ 'ca.pem': ca.certificate, 'system.pem': system.certificate, 'system.key': system.key }))
      writeFileSync(stack.file(name), pem, { mode: 0o600 })
    writeFileSync(
      stack.file('sallyport.yaml'),
      `version: 1
subaccounts:
  - id: demo
    destinations:
${destination('PLAIN', 389)}${destination('START_TLS', 389, { 'ldap.startTls': 'true' })}${destination('ADDED_TLS', 636)}${destination(
        'OWN_TLS',
        1636,
        { 'ldap.url': 'ldaps://corp.ldap:1636' },
      )}      - { Name: PORT, Type: TCP, ProxyType: OnPremise, Address: "corp.ldap:389" }
      - { Name: PORT_WITH_TLS, Type: TCP, ProxyType: OnPremise, Address: "corp.ldap:2636" }
connectors:
  - backendTrust: { authorities: [{ file: ca.pem }] }
    systemCertificate: { certificate: { file: system.pem }, key: { file: system.key } }
    mappings:
      - { virtual: "corp.ldap:389", internal: "ldap://127.0.0.1:${slapd.port}" }
      - { virtual: "corp.ldap:636", internal: "ldaps://localhost:${slapd.securePort}" }
      - { virtual: "corp.ldap:1636", internal: "tcp://127.0.0.1:${slapd.securePort}" }
      - { virtual: "corp.ldap:2636", internal: "tcps://localhost:${slapd.securePort}" }
`,
    )
    await stack.dev(['--config', stack.file('sallyport.yaml')])
  }, 60_000)
  afterAll(async () => {
    for (const tokens of opened) await tokens[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    await slapd?.[Symbol.asyncDispose]()
  })

  async function connect(name: string, tls: TlsOptions = {}): Promise<LdapClient> {
    const { credentials, destination: target, socks5: dial, tokens } = await findDestination(stack, name, 'LDAP')
    opened.push(tokens)
    return await createLdapAdapter({ clock: systemClock, tls }).connect(target, { dial, credentials, signal: signal(), log: silentLogger })
  }

  it.each([
    ['an LDAP mapping', 'PLAIN', {}],
    ['StartTLS inside an LDAP mapping', 'START_TLS', trusted],
    ['an LDAPS mapping, where the connector adds TLS', 'ADDED_TLS', {}],
    ['LDAPS end to end inside a TCP mapping', 'OWN_TLS', trusted],
  ] as const)('CC-072 is searched through %s, over SOCKS5', async (_way, name, tls) => {
    await using client = await connect(name, tls)
    const found: string[] = []
    for await (const { dn } of client.search({ base: 'dc=acme,dc=test', filter: '(sn=Acme)', pageSize: 2 })) found.push(dn)
    expect(found.toSorted()).toEqual(['eve', 'jane', 'john'].map((uid) => `uid=${uid},dc=acme,dc=test`))
  })

  it('CC-104 sees the system certificate when the connector adds TLS', async () => {
    const mark = slapd.log().length
    await using client = await connect('ADDED_TLS')
    await client.ping(signal())
    expect(slapd.log().slice(mark)).toMatch(/TLS established[^\n]*\n(?:.*\n)*?.*BIND dn="uid=jane,dc=acme,dc=test"/)
    await using forward = await openPort('PORT_WITH_TLS')
    const url = `ldap://127.0.0.1:${forward.port}`
    // The directory takes a client certificate for an identity; only TLS with the certificate offers EXTERNAL.
    const offered = await stack.program('ldapsearch', ['-x', '-H', url, '-s', 'base', '-b', '', 'supportedSASLMechanisms', '-LLL'])
    expect(offered.stdout).toContain('EXTERNAL')
    const plain = await stack.program('ldapsearch', [
      '-x',
      '-H',
      `ldap://127.0.0.1:${slapd.port}`,
      '-s',
      'base',
      '-b',
      '',
      'supportedSASLMechanisms',
      '-LLL',
    ])
    expect(plain.stdout).not.toContain('EXTERNAL')
  })

  it('is read by ldapsearch through a local port, in the clear and with StartTLS', async () => {
    await using forward = await openPort('PORT')
    const url = `ldap://127.0.0.1:${forward.port}`
    const jane = ['-x', '-H', url, '-D', 'uid=jane,dc=acme,dc=test', '-w', 'password-of-jane']
    const search = await stack.program('ldapsearch', [...jane, '-b', 'dc=acme,dc=test', '-LLL', '(uid=john)', 'sn'])
    expect(search).toMatchObject({ code: 0, stdout: expect.stringContaining('dn: uid=john,dc=acme,dc=test\nsn: Acme') })
    const secured = await stack.program('ldapwhoami', [...jane, '-ZZ'], { environment: { LDAPTLS_CACERT: stack.file('ca.pem') } })
    expect(secured).toMatchObject({ code: 0, stdout: 'dn:uid=jane,dc=acme,dc=test\n' })
    const wrong = await stack.program('ldapwhoami', ['-x', '-H', url, '-D', 'uid=jane,dc=acme,dc=test', '-w', 'wrong'])
    expect(wrong).toMatchObject({ code: 49, stderr: expect.stringContaining('Invalid credentials') })
  })

  async function openPort(name: string): Promise<{ readonly port: number } & AsyncDisposable> {
    const { credentials, destination: target, socks5: dial, tokens } = await findDestination(stack, name, 'TCP')
    const client = await createTcpAdapter({ clock: systemClock }).connect(target, {
      dial,
      credentials,
      signal: signal(),
      log: silentLogger,
    })
    const { address } = await client.listen()
    return {
      port: address.port,
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]()
        await tokens[Symbol.asyncDispose]()
      },
    }
  }
})
