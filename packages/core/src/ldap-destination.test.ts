import { describe, expect, it } from 'vitest'
import { credentialsOf, parseDestination } from './destination.ts'

const parse = (properties: Readonly<Record<string, string>>): ReturnType<typeof parseDestination> =>
  parseDestination({ Name: 'D', Type: 'LDAP', 'ldap.url': 'ldap://directory', ...properties })

describe('an LDAP destination', () => {
  it.each([
    ['ldap://Directory.virtual', { address: { host: 'Directory.virtual', port: 389 }, tls: 'none', baseDn: '' }],
    ['LDAPS://directory', { address: { host: 'directory', port: 636 }, tls: 'implicit' }],
    ['ldap://directory:1389/', { address: { host: 'directory', port: 1389 }, baseDn: '' }],
    ['ldap://[2001:db8::7]:1389/dc=acme,dc=test', { address: { host: '2001:db8::7', port: 1389 }, baseDn: 'dc=acme,dc=test' }],
    ['ldap://directory/o=Acme%20Ltd', { baseDn: 'o=Acme Ltd' }],
  ])('reads %s', (url, expected) => {
    expect(parse({ 'ldap.url': url })).toMatchObject({
      type: 'LDAP',
      proxyType: 'Internet',
      authentication: 'NoAuthentication',
      ...expected,
    })
  })

  it('reads everything else that it may have', () => {
    const properties = {
      'ldap.proxyType': 'OnPremise',
      'ldap.authentication': 'BasicAuthentication',
      'ldap.user': 'cn=app',
      'ldap.startTls': 'True',
      'ldap.timeout': '2000',
      'ldap.connectTimeout': '300',
      'ldap.baseDN': 'dc=acme',
      CloudConnectorLocationId: 'orlando',
    }
    expect(parse(properties)).toMatchObject({
      proxyType: 'OnPremise',
      locationId: 'orlando',
      tls: 'startTls',
      authentication: 'BasicAuthentication',
      timeoutMs: 2000,
      connectTimeoutMs: 300,
      baseDn: 'dc=acme',
    })
    const credentials = credentialsOf({ Type: 'LDAP', ...properties, 'ldap.password': 'secret' })
    expect(credentials).toMatchObject({ kind: 'basic', user: 'cn=app' })
    expect(credentials.kind === 'basic' && credentials.password.reveal()).toBe('secret')
    expect(credentialsOf({ Type: 'LDAP', 'ldap.user': 'cn=app' })).toEqual({ kind: 'none' })
  })

  it.each([
    [{ 'ldap.url': '' }, 'ldap.url'],
    [{ 'ldap.url': 'http://directory' }, 'ldap.url'],
    [{ 'ldap.url': 'ldap://' }, 'ldap.url'],
    [{ 'ldap.url': 'ldap://user:secret@directory' }, 'ldap.url'],
    [{ 'ldap.url': 'ldap://directory:0' }, 'ldap.url'],
    [{ 'ldap.url': 'ldap://directory/o=x?cn?sub' }, 'ldap.url'],
    [{ 'ldap.url': 'ldap://directory/%zz' }, 'ldap.url'],
    [{ 'ldap.proxyType': 'Elsewhere' }, 'ProxyType'],
    [{ 'ldap.authentication': 'OAuth2' }, 'ldap.authentication'],
    [{ 'ldap.authentication': 'BasicAuthentication' }, 'ldap.user'],
    [{ 'ldap.startTls': 'yes' }, 'ldap.startTls'],
    [{ 'ldap.url': 'ldaps://directory', 'ldap.startTls': 'true' }, 'ldap.startTls'],
    [{ 'ldap.timeout': '-1' }, 'ldap.timeout'],
    [{ 'ldap.connectTimeout': '3 s' }, 'ldap.connectTimeout'],
  ])('names the property that is wrong: %j', (properties, name) => {
    expect(() => parse(properties)).toThrow(
      expect.objectContaining({ code: 'DESTINATION_INVALID', message: expect.stringContaining(name) }),
    )
  })
})
