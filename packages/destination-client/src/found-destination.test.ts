import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { judge } from './cache-policy.ts'
import { parseFoundDestination } from './found-destination.ts'

const configuration = {
  Name: 'ERP',
  Type: 'HTTP',
  URL: 'http://erp.virtual:8000',
  ProxyType: 'OnPremise',
  Authentication: 'BasicAuthentication',
  User: 'u',
  Password: 'p4ss-of-erp',
  'sap-client': '100',
}
const parse = (answer: unknown): ReturnType<typeof parseFoundDestination> => parseFoundDestination(answer, 1000, 'find "ERP"')

describe('an answer of the service', () => {
  it('becomes a destination, credentials, certificates and an owner', () => {
    const found = parse({
      owner: { SubaccountId: 'sub-1', InstanceId: null },
      destinationConfiguration: { ...configuration, $metadata: { a: 1 } },
      certificates: [{ Name: 'k.p12', Type: 'CERTIFICATE', Content: Buffer.from('bytes').toString('base64') }],
    })
    expect(found.destination).toMatchObject({ name: 'ERP', type: 'HTTP', proxyType: 'OnPremise' })
    expect(found.destination.properties).toMatchObject({ User: 'u', 'sap-client': '100' })
    expect(found.owner).toEqual({ subaccountId: 'sub-1', instanceId: undefined })
    expect(found.credentials).toMatchObject({ kind: 'basic', user: 'u' })
    expect(found.certificates[0]?.content.reveal().toString()).toBe('bytes')
  })
  it('keeps secrets that have a place in the destination wrapped, and out of its properties', () => {
    const { destination } = parse({
      destinationConfiguration: {
        Name: 'ABAP',
        Type: 'RFC',
        ProxyType: 'OnPremise',
        'jco.client.ashost': 'abap.virtual',
        'jco.client.sysnr': '42',
        'jco.client.client': '100',
        'jco.client.user': 'CALLER',
        'jco.client.passwd': 'p4ss-of-caller',
        'jco.destination.repository.user': 'READER',
        'jco.destination.repository.passwd': 'p4ss-of-reader',
      },
    })
    expect(destination.type === 'RFC' && destination.repository.password?.reveal()).toBe('p4ss-of-reader')
    expect(inspect(destination, { depth: 9 }) + JSON.stringify(destination)).not.toMatch(/p4ss-of/)
  })
  it('shows what the service says of a failed token, without tokens and however long it is', () => {
    const messageOf = (error: string): string => {
      try {
        parse({ destinationConfiguration: configuration, authTokens: [{ type: '', value: '', error }] })
        return 'nothing was thrown'
      } catch (thrown) {
        return String(thrown)
      }
    }
    expect(messageOf('bad token eyJhbGciOiJS.eyJzdWIiOiJqYW5l.c2lnbmF0dXJl, ask erp.example.org')).toContain(
      '"bad token [token], ask erp.example.org"',
    )
    expect(messageOf('in a.eyJhbGciOiJS.eyJzdWIiOiJqYW5l.')).toContain('"in [token]"')
    expect(messageOf('no.token 1.23456789012.4')).toContain('"no.token 1.23456789012.4"')
    // A search for the parts of a token took minutes for so long a word.
    expect(messageOf('a'.repeat(300_000))).toContain('aaa…"')
  })
  it('shows no secret property outside of secrets', () => {
    const found = parse({ destinationConfiguration: { ...configuration, clientSecret: 'cl1ent-secret', KeyStorePassword: 'k3ystore' } })
    const shown = inspect(found, { depth: 9, showHidden: true }) + JSON.stringify(found)
    for (const secret of ['p4ss-of-erp', 'cl1ent-secret', 'k3ystore']) expect(shown).not.toContain(secret)
    expect(found.secrets.reveal()).toEqual({ Password: 'p4ss-of-erp', clientSecret: 'cl1ent-secret', KeyStorePassword: 'k3ystore' })
  })
  it('uses the first token without an error, ready to send', () => {
    const found = parse({
      destinationConfiguration: { ...configuration, Authentication: 'OAuth2ClientCredentials' },
      authTokens: [
        { type: '', value: '', error: 'no' },
        { type: 'Bearer', value: 't', http_header: { key: 'Authorization', value: 'Bearer t' }, expires_in: '60' },
      ],
    })
    expect(found.credentials).toMatchObject({ kind: 'header', name: 'Authorization', expiresAtMs: 61_000 })
  })
  it('fails with the text of the service when there is no good token, without a token in it', () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'
    expect(() =>
      parse({
        destinationConfiguration: configuration,
        authTokens: [{ type: '', value: '', error: `Retrieval of OAuthToken failed: ${token}\nline` }],
      }),
    ).toThrow(/no token for the target: "Retrieval of OAuthToken failed: \[token\] line"/)
  })
  it.each([
    [undefined, /no destination/],
    [[], /no destination/],
    [{ destinationConfiguration: 'x' }, /no destination/],
    [{ destinationConfiguration: configuration, authTokens: [{ type: 'Bearer', value: 't' }] }, /without its header/],
    [{ destinationConfiguration: { ...configuration, URL: 'x' } }, /URL is not/],
    [{ destinationConfiguration: { ...configuration, Type: 7 } }, /Type/],
  ])('is refused when it is none (%#)', (answer, message) => {
    expect(() => parse(answer)).toThrow(message)
  })
})

describe('how long an answer is used', () => {
  const limits = { cacheMs: 300_000, staleMs: 3_600_000 }
  const found = (authentication: string, expires?: string): ReturnType<typeof parse> =>
    parse({
      destinationConfiguration: { ...configuration, Authentication: authentication },
      ...(expires === undefined
        ? {}
        : { authTokens: [{ type: 'Bearer', value: 't', http_header: { key: 'Authorization', value: 'Bearer t' }, expires_in: expires }] }),
    })
  it.each([
    ['NoAuthentication', undefined, { keep: true, perUser: false, freshUntilMs: 301_000, staleUntilMs: 3_601_000 }],
    ['PrincipalPropagation', undefined, { keep: true, perUser: true }],
    ['PrincipalPropagation', '3600', { keep: true, perUser: true }],
    ['OAuth2ClientCredentials', '120', { keep: true, perUser: false, freshUntilMs: 61_000, staleUntilMs: 121_000 }],
    ['OAuth2ClientCredentials', '10', { keep: true, freshUntilMs: 6000, staleUntilMs: 11_000 }],
    ['OAuth2ClientCredentials', '0', { keep: false }],
    ['OAuth2JWTBearer', '3600', { keep: true, perUser: true, freshUntilMs: 301_000, staleUntilMs: 3_601_000 }],
    ['SomethingNew', undefined, { keep: true, perUser: true }],
    ['SAMLAssertion', undefined, { keep: false }],
    ['OAuth2TokenExchange', '3600', { keep: false }],
  ])('%s, token life %s', (authentication, expires, verdict) => {
    expect(judge(found(authentication, expires), 1000, limits)).toMatchObject(verdict)
  })
})
