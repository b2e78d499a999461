import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '@sallyport/core'
import { openDataFolder } from '../stack/data-folder.ts'
import { demoConfiguration, prepareDemo } from '../stack/demo.ts'
import { resolveText } from './configuration.ts'
import { formatProblems, parseConfiguration } from './read-configuration.ts'

describe('configuration', () => {
  it('accepts the demo', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
    prepareDemo(openDataFolder(folder), systemClock)
    const result = parseConfiguration(demoConfiguration({ odata: 1, http: 2, echo: 3 }), join(folder, 'demo.yaml'))
    rmSync(folder, { recursive: true })
    expect(result).toMatchObject({ configuration: { strict: true, server: { host: '127.0.0.1' }, demo: { odata: 1 } } })
  })

  it('accepts what docs/encryption-keys.md shows, with the variables that it names', () => {
    const document = readFileSync(join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'encryption-keys.md'), 'utf8')
    const examples = [...document.matchAll(/```yaml\n([^]*?)```/g)].map(([, example = '']) => example)
    expect(examples.map((example) => (/type: (\w+)/.exec(example) ?? [])[1])).toEqual(['transit', 'local'])
    for (const example of examples) {
      const result = parseConfiguration(example, '/somewhere/server.yaml')
      expect('problems' in result ? result.problems : []).toEqual([])
    }
  })

  it.each([
    [
      'an unknown key, with the one that was meant',
      'version: 1\nsubacounts: []\n',
      /:2:1 subacounts: unknown key "subacounts"; did you mean "subaccounts"/,
    ],
    [
      'a problem at its line',
      'version: 1\nserver:\n  connectivityProxy:\n    httpPort: 99999\n',
      /:4:\d+ server\.connectivityProxy\.httpPort/,
    ],
    ['broken YAML', 'version: [1\n', /:\d/],
    ['the same subaccount twice', 'subaccounts:\n  - id: a\n  - id: a\n', /subaccount "a" stands twice/],
    ['the same user twice', 'subaccounts:\n  - id: a\n    users: [{ name: x }, { name: x }]\n', /user "x" stands twice/],
    ['a destination without a name', 'subaccounts:\n  - id: a\n    destinations: [{ Type: HTTP }]\n', /needs a Name/],
    [
      'a fragment without a name, at its line',
      'subaccounts:\n  - id: a\n    fragments:\n      - { FragmentName: ok }\n      - { URL: "https://a.example" }\n',
      /^\/etc\/sallyport\.yaml:5:9 subaccounts\[0\]\.fragments\[1\]: a fragment needs a FragmentName$/m,
    ],
    [
      'a fragment that would rename a destination',
      'subaccounts:\n  - id: a\n    fragments: [{ FragmentName: x, Name: y }]\n',
      /:3:\d+ subaccounts\[0\]\.fragments\[0\]: .*must not have the property "Name"/,
    ],
    [
      'a fragment that would change the type of a destination',
      'subaccounts:\n  - id: a\n    fragments: [{ FragmentName: x, Type: { env: TYPE } }]\n',
      /must not have the property "Type"/,
    ],
    [
      'the same fragment twice',
      'subaccounts:\n  - id: a\n    fragments:\n      - { FragmentName: x }\n      - { FragmentName: x, User: y }\n',
      /:5:\d+ subaccounts\[0\]\.fragments\[1\]\.FragmentName: the fragment "x" stands twice/,
    ],
    [
      'the name of a fragment that stands elsewhere',
      'subaccounts:\n  - id: a\n    fragments: [{ FragmentName: { env: NAME } }]\n',
      /:3:\d+ .*needs a FragmentName/,
    ],
    [
      'a fragment with more than texts',
      'subaccounts:\n  - id: a\n    fragments: [{ FragmentName: x, headers: [a] }]\n',
      /:3:\d+ subaccounts\[0\]\.fragments\[0\]\.headers/,
    ],
    [
      'a secret of a fragment that is not there',
      'subaccounts:\n  - id: a\n    fragments: [{ FragmentName: x, Password: { file: nope } }]\n',
      /:3:\d+ subaccounts\[0\]\.fragments\[0\]\.Password\.file: there is no file "nope"/,
    ],
    ['a connector of an unknown subaccount', 'subaccounts: [{ id: a }]\nconnectors: [{ subaccount: b }]\n', /no subaccount "b"/],
    ['a destination type that does not exist', 'subaccounts:\n  - id: a\n    destinations: [{ Name: A, Type: HTTTP }]\n', /:3:\d+ .*Type/],
    ['a URL that is none', 'subaccounts:\n  - id: a\n    destinations: [{ Name: A, Type: HTTP, URL: s4 }]\n', /URL is not an absolute/],
    [
      'a file that is not there',
      'connectors:\n  - systemCertificate: { certificate: { file: nope.crt }, key: { file: nope.key } }\n',
      /there is no file "nope\.crt"/,
    ],
    [
      'the same system twice',
      'connectors:\n  - mappings:\n      - { virtual: "a:1", internal: "https://b" }\n      - { virtual: "A:1", internal: "http://c" }\n',
      /:4:\d+ connectors\[0\]\.mappings\[1\]/,
    ],
    [
      'an issuer that is service and provider',
      'identityServices: [{ issuer: "https://a.example", keysUrl: "https://a.example" }]\nidentityProviders: [{ issuer: "https://a.example", keysUrl: "https://a.example", origin: a, audiences: [x] }]\n',
      /:2:\d+ identityProviders\[0\].*stands twice/,
    ],
    [
      'a provider whose users look like our own',
      'identityProviders: [{ issuer: "https://a.example", keysUrl: "https://a.example", origin: sap.default, audiences: [x] }]\n',
      /identityProviders\[0\]\.origin.*of this installation/,
    ],
    [
      'a token that is carried along and accepted by nobody',
      'identityProviders: [{ issuer: "https://a.example", keysUrl: "https://a.example", origin: a, audiences: [x], embedToken: true }]\n',
      /identityProviders\[0\]\.embedToken: no connector accepts/,
    ],
    [
      'the same service twice',
      'subaccounts: [{ id: a }]\nserver:\n  serviceChannels:\n    mappings:\n      - { type: TCP, subaccountId: a, serviceId: x, internalAddress: "h:1" }\n      - { type: TCP, subaccountId: a, serviceId: X, internalAddress: "h:2" }\n',
      /:6:\d+ server\.serviceChannels\.mappings\[1\]\.serviceId: the TCP service "X" of subaccount "a" stands twice/,
    ],
    [
      'a service without a port',
      'subaccounts: [{ id: a }]\nserver:\n  serviceChannels:\n    mappings:\n      - { type: TCP, subaccountId: a, serviceId: x, internalAddress: "h:1" }\n      - { type: RFC, subaccountId: a, serviceId: x, internalAddress: h }\n',
      /mappings\[1\]\.internalAddress: "h" is not an address/,
    ],
    [
      'a service of an unknown subaccount',
      'subaccounts: [{ id: a }]\nserver:\n  serviceChannels:\n    mappings:\n      - { type: TCP, subaccountId: a, serviceId: x, internalAddress: "h:1" }\n      - { type: RFC, subaccountId: b, serviceId: x, internalAddress: "h:1" }\n',
      /mappings\[1\]\.subaccountId: there is no subaccount "b"/,
    ],
    [
      'two service channels on one port',
      'connectors:\n  - channels:\n      - { type: K8S, k8sCluster: cp/a, port: 1 }\n      - { type: K8S, k8sCluster: cp/b, port: 1 }\n',
      /:4:\d+ connectors\[0\]\.channels\[1\]: 127\.0\.0\.1:1 is already the port of connectors\[0\]\.channels\[0\]/,
    ],
    [
      'hosts for tenants without a url',
      'server:\n  tokenService: { tenantHosts: true }\n',
      /:2:\d+ server\.tokenService\.tenantHosts.*https/,
    ],
    [
      'hosts for tenants below an address',
      'server:\n  tokenService: { tenantHosts: true, url: "https://10.0.0.1" }\n',
      /server\.tokenService\.url.*domain name/,
    ],
    ['a role that does not exist', 'roleCollections: [{ name: a, roles: [Administrator] }]\n', /:1:\d+ roleCollections\[0\]\.roles\[0\]/],
    [
      'the same role collection twice',
      'roleCollections:\n  - { name: a, roles: [] }\n  - { name: a, roles: [] }\n',
      /collection "a" stands twice/,
    ],
    [
      'keys that come without TLS',
      'identityServices: [{ issuer: "https://a.example", keysUrl: "http://a.example" }]\n',
      /identityServices\[0\]\.keysUrl/,
    ],
    [
      'the same identity service twice',
      'identityServices:\n  - { issuer: "https://a.example", keysUrl: "https://a.example" }\n  - { issuer: "https://a.example", keysUrl: "https://b.example" }\n',
      /identityServices\[1\].*issuer "https:\/\/a\.example" stands twice/,
    ],
    [
      'a file with parameters that is not there',
      'instances: { destination: { parameters: { file: nope.json } } }\n',
      /there is no file "nope\.json"/,
    ],
    [
      'an alias bomb',
      `a: &a [x]\n${'bcdefgh'
        .split('')
        .map((name, at) => `${name}: &${name} [*${'abcdefgh'[at]}, *${'abcdefgh'[at]}, *${'abcdefgh'[at]}, *${'abcdefgh'[at]}]`)
        .join('\n')}\n`,
      /alias/i,
    ],
  ])('names %s', (_, text, expected) => {
    const result = parseConfiguration(text, '/etc/sallyport.yaml')
    if (!('problems' in result)) throw new Error('expected problems')
    expect(formatProblems('/etc/sallyport.yaml', result.problems)).toMatch(expected)
  })

  it('reports all problems together', () => {
    const result = parseConfiguration('version: 2\nstrict: maybe\nserver: { host: "" }\n', '/x')
    expect('problems' in result && result.problems.map((problem) => problem.line)).toEqual(expect.arrayContaining([1, 2, 3]))
  })

  it('reads secrets from files and variables, never guessing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
    writeFileSync(join(folder, 'secret'), 's3cret\n')
    const configuration = { path: join(folder, 'sallyport.yaml') }
    expect(resolveText({ file: 'secret' }, configuration, {})).toBe('s3cret')
    expect(resolveText({ env: 'S' }, configuration, { S: 'x' })).toBe('x')
    expect(() => resolveText({ env: 'MISSING' }, configuration, {})).toThrow(/MISSING/)
    expect(() => resolveText({ file: 'none' }, configuration, {})).toThrow(/does not exist/)
    rmSync(folder, { recursive: true })
  })
})
