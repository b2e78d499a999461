import { type BackendProtocol, backendProtocols, type BackendType, principalTypes } from '@sallyport/admin-api'
import { describe, expect, it } from 'vitest'
import { configurationChanges, formatChange } from './configuration-changes.ts'
import { type ConnectorConfiguration, parseConfiguration } from './connector-configuration.ts'

const parse = (text: string): ConnectorConfiguration =>
  parseConfiguration({ text, fileName: 'sallyport.yaml', otherKeys: ['subaccounts'] }).connectors[0]
const problems = (text: string): readonly string[] => {
  try {
    parse(text)
    return []
  } catch (error) {
    return (error as Error).message.split('\n')
  }
}
const mapping = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ connectors: [{ mappings: [{ virtual: 'a:1', internal: 'tcp://b:1', ...fields }] }] })

describe('configuration text', () => {
  it('reads the example of the documentation', () => {
    const { entry, mappings } = parse(`
version: 1
subaccounts: [{ id: demo, whatever: true }]
connectors:
  - locationId: ""
    mappings:
      - virtual: "s4.demo:443"
        internal: "https://s4.internal:44300"
        backendType: abapSys
        principalType: X509_GENERAL
        resources: [{ path: /sap/opu/odata, subPaths: true }, { path: /sap/bc/ping }]
      - { virtual: "mail.demo:25", internal: "tcp://127.0.0.1:2525" }
    principalPropagation: { subjectPattern: "CN=\${email}" }
`)
    expect(entry.principalPropagation.subjectPattern).toBe('CN=${email}')
    expect(mappings).toMatchObject([
      {
        virtualHost: 's4.demo',
        virtualPortLow: 443,
        protocol: 'HTTPS',
        internalHost: 's4.internal',
        internalPortLow: 44_300,
        principalType: 'X509_GENERAL',
        resources: [
          { path: '/sap/opu/odata', exactMatchOnly: false, enabled: true, websocketUpgradeAllowed: false },
          { path: '/sap/bc/ping', exactMatchOnly: true, enabled: true },
        ],
      },
      { virtualHost: 'mail.demo', protocol: 'TCP', internalPortLow: 2525, principalType: 'NONE', backendType: 'nonSAPsys' },
    ])
  })

  it('reports every problem with line, column and path, in the order of the file', () => {
    const text = `connectors:
  - mappings:
      - virtual: a
        internal: https://b
      - virtual: a:1
        internal: ftp://b
      - { virtual: "c:1", internal: "tcp://b:1", resources: [{ path: /x }] }
      - { virtual: "d:1", internal: "https://b", resources: [{ path: x }, { path: /y }, { path: /y }, { path: /a/../b }] }
    principalPropagation:
      subjectPattern: "CN=\${"
    cookieDomains: [{ virtual: a b, internal: c }]
`
    expect(problems(text)).toEqual([
      'sallyport.yaml:3:9 connectors[0].mappings[0].virtual: "a" is not host:port, such as s4.demo:443',
      expect.stringMatching(/^sallyport\.yaml:6:9 connectors\[0\]\.mappings\[1\]\.internal: "ftp:\/\/b" is not an address such as/),
      expect.stringMatching(/^sallyport\.yaml:7:50 connectors\[0\]\.mappings\[2\]\.resources: a tcp mapping has no resources/),
      expect.stringMatching(/^sallyport\.yaml:8:64 connectors\[0\]\.mappings\[3\]\.resources\[0\]\.path: "x" must start with \//),
      expect.stringMatching(/^sallyport\.yaml:8:91 connectors\[0\]\.mappings\[3\]\.resources\[2\]\.path: "\/y" is already resource 1/),
      expect.stringMatching(
        /^sallyport\.yaml:8:105 connectors\[0\]\.mappings\[3\]\.resources\[3\]\.path: "\/a\/\.\.\/b" must not hold dot segments/,
      ),
      expect.stringMatching(/^sallyport\.yaml:10:7 connectors\[0\]\.principalPropagation\.subjectPattern: subject pattern: CN has a/),
      expect.stringMatching(/^sallyport\.yaml:11:23 connectors\[0\]\.cookieDomains\[0\]\.virtual: "a b" is not a domain/),
    ])
  })

  it('suggests the key that was probably meant, at its place', () => {
    expect(problems('connectors:\n  - locationId: ""\n    mapings: []\n')).toEqual([
      'sallyport.yaml:3:5 connectors[0].mapings: unknown key "mapings"; did you mean "mappings"?',
    ])
  })

  it('names the place of what is not YAML at all', () => {
    expect(problems('connectors:\n  - a: [1, 2\n')[0]).toMatch(/^sallyport\.yaml:\d+:\d+ /)
    expect(problems('connectors: []\nconnectors: []\n')).toEqual([expect.stringMatching(/^sallyport\.yaml:2:1 Map keys must be unique/)])
  })

  it('does not multiply aliases without end', () => {
    const levels = Array.from(
      { length: 12 },
      (_, at) => `l${at + 1}: &l${at + 1} [${Array.from({ length: 10 }, () => `*l${at}`).join(', ')}]`,
    )
    expect(problems(`l0: &l0 [x]\n${levels.join('\n')}\n`)).toEqual([expect.stringContaining('alias')])
  })

  it('takes an empty file for no connectors', () => {
    expect(parseConfiguration({ text: '', fileName: 'x' }).connectors).toEqual([])
  })
})

describe('rules', () => {
  it('CC-049 refuses a second mapping of the same virtual host and port, whatever its case', () => {
    const text = JSON.stringify({
      connectors: [
        {
          mappings: [
            { virtual: 'a:1', internal: 'tcp://b:1' },
            { virtual: 'a:2', internal: 'tcp://b:1' },
            { virtual: 'A:1', internal: 'http://c' },
            { virtual: 'a:10-20', internal: 'tcp://b:10-20' },
            { virtual: 'a:20', internal: 'tcp://b:1' },
            { virtual: 'a:2-3', internal: 'tcp://b:2-3' },
            { virtual: 'b:1', internal: 'tcp://b:1' },
          ],
        },
      ],
    })
    expect(problems(text).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'connectors[0].mappings[2].virtual: "A:1" is already mapped by mapping 0, a:1',
      'connectors[0].mappings[4].virtual: "a:20" is already mapped by mapping 3, a:10-20',
      'connectors[0].mappings[5].virtual: "a:2-3" is already mapped by mapping 1, a:2',
    ])
  })

  it('CC-053 hostInHeader is VIRTUAL by default and accepted in upper or lower case', () => {
    const read = (fields: Readonly<Record<string, unknown>>): unknown =>
      parse(mapping({ internal: 'http://b', ...fields })).mappings[0]?.hostInHeader
    expect(read({})).toBe('VIRTUAL')
    expect(read({ hostInHeader: 'internal' })).toBe('INTERNAL')
    expect(read({ hostInHeader: 'INTERNAL' })).toBe('INTERNAL')
    expect(problems(mapping({ internal: 'http://b', hostInHeader: 'Internal' }))).toHaveLength(1)
  })

  it.each([
    [{ virtual: 'a:1000-1010', internal: 'tcp://b:1000-1010' }, 0],
    [{ virtual: 'a:1000-1010', internal: 'tcps://b:5000-5010' }, 0],
    [{ virtual: 'a:1000-1010', internal: 'tcp://b:1000-1009' }, 1],
    [{ virtual: 'a:1000-1010', internal: 'tcp://b:1000' }, 1],
    [{ virtual: 'a:1000', internal: 'tcp://b:1000-1010' }, 1],
    [{ virtual: 'a:1010-1000', internal: 'tcp://b:1000-1010' }, 1],
    [{ virtual: 'a:1000-1010', internal: 'http://b:1000-1010' }, 1],
    [{ virtual: 'a:0', internal: 'tcp://b:1' }, 1],
    [{ virtual: 'a:65536', internal: 'tcp://b:1' }, 1],
  ])('CC-056 of the port ranges %o has %i problems', (fields, count) => {
    expect(problems(mapping(fields))).toHaveLength(count)
  })

  const addresses: Readonly<Record<BackendProtocol, string>> = {
    HTTP: 'http://b',
    HTTPS: 'https://b',
    RFC: 'rfc://b:sapgw00',
    RFCS: 'rfcs://b:sapgw00s',
    RFCWS: 'rfcws://b:44300',
    TCP: 'tcp://b:1',
    TCPS: 'tcps://b:1',
    LDAP: 'ldap://b',
    LDAPS: 'ldaps://b',
  }
  const of = (protocol: BackendProtocol, fields: Readonly<Record<string, unknown>>): string =>
    mapping({ internal: addresses[protocol], ...(protocol === 'RFCS' ? { sncPartnerName: 'p:CN=b' } : {}), ...fields })

  // The tables of cloud-connector.md, 2.2 and 2.5.
  it.each<[BackendType, readonly BackendProtocol[]]>([
    ['abapSys', ['HTTP', 'HTTPS', 'RFC', 'RFCS', 'RFCWS', 'TCP', 'TCPS']],
    ['hana', ['HTTP', 'HTTPS', 'TCP', 'TCPS']],
    ['applServerJava', ['HTTP', 'HTTPS']],
    ['netweaverCE', ['HTTP', 'HTTPS']],
    ['BC', ['HTTP', 'HTTPS']],
    ['PI', ['HTTP', 'HTTPS']],
    ['netweaverGW', ['HTTP', 'HTTPS', 'RFC', 'RFCS', 'RFCWS', 'TCP', 'TCPS']],
    ['otherSAPsys', ['HTTP', 'HTTPS', 'TCP', 'TCPS']],
    ['nonSAPsys', ['HTTP', 'HTTPS', 'TCP', 'TCPS', 'LDAP', 'LDAPS']],
  ])('CC-051 accepts for %s exactly %o', (backendType, accepted) => {
    expect(backendProtocols.filter((protocol) => problems(of(protocol, { backendType })).length === 0)).toEqual(accepted)
  })

  it.each<[BackendProtocol, readonly string[]]>([
    ['HTTP', ['NONE', 'KERBEROS']],
    ['HTTPS', ['NONE', 'NONE_RESTRICTED', 'X509_GENERAL', 'X509_RESTRICTED', 'KERBEROS']],
    ['RFC', ['NONE']],
    ['RFCS', ['NONE', 'X509_GENERAL', 'X509_RESTRICTED']],
    ['RFCWS', ['NONE', 'X509_GENERAL']],
    ['TCP', ['NONE']],
    ['TCPS', ['NONE']],
    ['LDAP', ['NONE']],
    ['LDAPS', ['NONE']],
  ])('CC-052 accepts for %s exactly %o', (protocol, accepted) => {
    const backendType = protocol.startsWith('RFC') ? 'abapSys' : 'nonSAPsys'
    const all = [...principalTypes, 'X509_CERTIFICATE', 'X509_CERTIFICATE_LOCAL']
    expect(all.filter((principalType) => problems(of(protocol, { backendType, principalType })).length === 0)).toEqual(accepted)
  })

  it('lets nobody be logged on by the system certificate without saying so', () => {
    expect(parse(mapping({ internal: 'https://b' })).mappings[0]?.principalType).toBe('NONE_RESTRICTED')
    expect(parse(mapping({ internal: 'http://b' })).mappings[0]?.principalType).toBe('NONE')
  })

  it('CC-145 audits at level SECURITY and keeps the log for ever by default', () => {
    expect(parse('connectors: [{}]').entry.audit).toEqual({ level: 'SECURITY', retentionDays: 0 })
  })

  it('CC-150 accepts only the documented retentions', () => {
    const accepted = [0, 1, 7, 14, 30, 60, 90, 180, 365, 366, -1].filter(
      (retentionDays) => problems(JSON.stringify({ connectors: [{ audit: { retentionDays } }] })).length === 0,
    )
    expect(accepted).toEqual([0, 14, 30, 90, 180, 365])
  })

  it('accepts tolerances of 1 to 336 hours and validities of 1 to 43200 minutes', () => {
    const fine = (fields: Readonly<Record<string, unknown>>): boolean =>
      problems(JSON.stringify({ connectors: [{ principalPropagation: fields }] })).length === 0
    for (const hours of [1, 336]) expect(fine({ expirationToleranceHours: hours }), `${hours} h`).toBe(true)
    for (const hours of [0, 337]) expect(fine({ expirationToleranceHours: hours }), `${hours} h`).toBe(false)
    for (const minutes of [1, 43_200]) expect(fine({ validityMinutes: minutes }), `${minutes} min`).toBe(true)
    for (const minutes of [0, 43_201]) expect(fine({ validityMinutes: minutes }), `${minutes} min`).toBe(false)
  })

  it('PP-023 refuses a condition "exist" with a value and "is" without', () => {
    const rule = (when: unknown): readonly string[] =>
      problems(JSON.stringify({ connectors: [{ principalPropagation: { rules: [{ when, subject: 'CN=a' }, { subject: 'CN=b' }] } }] }))
    expect(rule({ variable: 'email', operator: 'exist' })).toEqual([])
    expect(rule({ variable: 'email', operator: 'exist', value: 'x' })).toHaveLength(1)
    expect(rule({ variable: 'email', operator: 'is' })).toHaveLength(1)
    expect(rule({ variable: 'user_type', operator: 'is', value: 'Nobody' })).toHaveLength(1)
    expect(rule(undefined)).toHaveLength(1)
  })

  it('does not let two connectors be the same', () => {
    expect(problems('connectors: [{ locationId: a }, { locationId: b }, { locationId: a }]')).toHaveLength(1)
    expect(problems('connectors: [{ locationId: a, subaccount: x }, { locationId: a, subaccount: y }]')).toEqual([])
  })
})

describe('changes', () => {
  it('CC-146 names category, old and new value of everything that is different', () => {
    const before = parse(
      JSON.stringify({
        connectors: [
          {
            mappings: [
              { virtual: 'a:1', internal: 'http://b', resources: [{ path: '/x' }] },
              { virtual: 'gone:1', internal: 'tcp://b:1' },
            ],
          },
        ],
      }),
    )
    const after = parse(
      JSON.stringify({
        connectors: [
          {
            backendTrust: { trustAll: true },
            audit: { level: 'ALL' },
            mappings: [{ virtual: 'a:1', internal: 'https://b', resources: [{ path: '/x', enabled: false }, { path: '/new' }] }],
          },
        ],
      }),
    )
    const changes = configurationChanges(before.entry, after.entry)
    const [, level, , , added] = changes
    expect(changes.map(({ category, what }) => `${category} ${what}`)).toEqual([
      'TrustedBackendCertificate backendTrust',
      'AuditLogLevel audit.level',
      'BackendMapping a:1',
      'AllowedResource a:1 /x',
      'AllowedResource a:1 /new',
      'BackendMapping gone:1',
    ])
    expect(formatChange(level)).toBe('parameter audit.level from "SECURITY" to "ALL"')
    expect(formatChange(added)).toMatch(/^parameter a:1 \/new from \{\} to \{"path":"\/new"/)
    expect(configurationChanges(after.entry, after.entry)).toEqual([])
  })
})
