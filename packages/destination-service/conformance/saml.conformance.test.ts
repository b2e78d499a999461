import { X509Certificate } from 'node:crypto'
import { createTestCa, createTestIssuer, type TestIssuer } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entryOf, failed, failedBecause, find, store, storeFile } from './look-up.ts'
import { landscape, providerSubaccount, type RunningService, startService } from './running-service.ts'
import { isSignedBy, readAssertion, type ReadAssertion } from './saml-assertion.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

const ca = createTestCa()
const own = { rsa: ca.issue({ subject: '/CN=own', keyType: 'rsa' }), ec: ca.issue({ subject: '/CN=own', keyType: 'ec' }) }
const emailFormat = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'
const noKeys = `Keypair for subaccount - ${providerSubaccount} does not exist`

let running: RunningService
let tokenServer: TokenServer
/** Issues user tokens and tells about users; what it tells is what a test says. */
let issuer: TestIssuer
let issuerServer: TokenServer
beforeEach(async () => {
  tokenServer = await startTokenServer()
  issuerServer = await startTokenServer()
  issuerServer.answerJson(200, {})
  issuer = createTestIssuer({ issuer: issuerServer.url, nowMs: () => running.clock.now() })
  running = await startService({ issuers: [issuer] })
})
afterEach(async () => {
  await running.close()
  await tokenServer.close()
  await issuerServer.close()
})

const bearer = (more: Record<string, string> = {}): Record<string, string> => ({
  Name: 'd',
  Type: 'HTTP',
  URL: 'https://target.example/odata',
  ProxyType: 'Internet',
  Authentication: 'OAuth2SAMLBearerAssertion',
  audience: 'the-audience',
  clientKey: 'client-key',
  authnContextClassRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession',
  tokenServiceURL: `${tokenServer.url}?q=1`,
  KeyStoreLocation: 'own.pem',
  ...more,
})
const assertionType = (more: Record<string, string> = {}): Record<string, string> => bearer({ Authentication: 'SAMLAssertion', ...more })
const storeOwnKey = (kind: 'rsa' | 'ec' = 'rsa'): Promise<void> =>
  storeFile(running, 'own.pem', `${own[kind].certificate}\n${own[kind].key}`)
const jane = (claims: Record<string, unknown> = {}): string => issuer.user('jane', { email: 'jane@acme.test', scope: [], ...claims })
const formOf = (index = 0): Record<string, string> => Object.fromEntries(tokenServer.calls[index]?.form ?? [])

/** The assertion that the token service gets for a user. */
async function sentFor(user: string): Promise<ReadAssertion> {
  tokenServer.calls.splice(0)
  expect(await entryOf(running, { 'x-user-token': user })).toMatchObject({ type: 'Bearer' })
  return readAssertion(formOf()['assertion'] ?? '')
}

async function makeTrust(what = 'certificate'): Promise<string> {
  const { status, json } = await running.call('POST', `/v1/saml2Metadata/${what}`)
  expect(status).toBe(200)
  return (json as { certificate: string }).certificate
}

describe('OAuth2SAMLBearerAssertion', () => {
  it('DS-098 sends the assertion in base64url unless told, and remembers the token per user', async () => {
    await storeOwnKey()
    await store(running, bearer({ companyId: 'company', scope: 'a b', tokenServiceUser: 'tu', tokenServicePassword: 'tp' }))
    const user = jane()
    expect(await entryOf(running, { 'x-user-token': user })).toMatchObject({
      type: 'Bearer',
      value: 'token-1',
      http_header: { key: 'Authorization', value: 'Bearer token-1' },
    })
    const { assertion = '', ...others } = formOf()
    expect(assertion).toMatch(/^[\w-]+$/)
    expect(readAssertion(assertion).text('Audience')).toBe('the-audience')
    expect(others).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:saml2-bearer',
      client_id: 'client-key',
      company_id: 'company',
      scope: 'a b',
    })
    expect(tokenServer.calls[0]?.headers.authorization).toBe(`Basic ${Buffer.from('tu:tp').toString('base64')}`)
    expect(await entryOf(running, { 'x-user-token': user })).toMatchObject({ value: 'token-1' })
    expect(await entryOf(running, { 'x-user-token': issuer.user('joe', { scope: [] }) })).toMatchObject({ value: 'token-2' })
    await store(running, bearer({ samlAssertionEncoding: 'base64' }))
    await find(running, { 'x-user-token': user })
    const encoded = formOf(2)['assertion'] ?? ''
    expect(Buffer.from(encoded, 'base64').toString('base64')).toBe(encoded)
    expect(readAssertion(encoded).text('NameID')).toBe('jane')
  })

  it('DS-099 names the subaccount as issuer and the token service as recipient, unless the destination says otherwise', async () => {
    await storeOwnKey()
    await store(running, bearer())
    const usual = await sentFor(jane())
    expect(usual.text('Issuer')).toBe(`cfapps.${landscape}/${providerSubaccount}`)
    expect(usual.attribute('SubjectConfirmationData', 'Recipient')).toBe(tokenServer.url)
    await store(running, bearer({ assertionIssuer: 'me & <you>', assertionRecipient: 'https://r.example/?a="b"&c' }))
    const told = await sentFor(jane())
    expect(told.text('Issuer')).toBe('me & <you>')
    expect(told.attribute('SubjectConfirmationData', 'Recipient')).toBe('https://r.example/?a="b"&c')
    expect(isSignedBy(told.xml, own.rsa.certificate)).toBe(true)
  })

  it('says what the standard wants: one subject, bearer, audience, times and context', async () => {
    await storeOwnKey()
    await store(running, bearer({ nameQualifier: 'domain' }))
    const assertion = await sentFor(jane())
    const now = running.clock.now()
    const at = (ms: number): string => new Date(ms).toISOString()
    expect(assertion.attribute('Assertion', 'Version')).toBe('2.0')
    expect(assertion.attribute('Assertion', 'ID')).toMatch(/^_[\da-f-]{36}$/)
    expect(assertion.attribute('NameID', 'NameQualifier')).toBe('domain')
    expect(assertion.attribute('SubjectConfirmation', 'Method')).toBe('urn:oasis:names:tc:SAML:2.0:cm:bearer')
    expect(assertion.attribute('SubjectConfirmationData', 'NotOnOrAfter')).toBe(at(now + 600_000))
    expect(assertion.attribute('Conditions', 'NotBefore')).toBe(at(now - 60_000))
    expect(assertion.attribute('Conditions', 'NotOnOrAfter')).toBe(at(now + 600_000))
    expect(assertion.text('AuthnContextClassRef')).toBe('urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession')
  })

  it.each([
    ['the user name by default', {}, 'jane'],
    ['the user name for the unspecified format', { nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified' }, 'jane'],
    ['the e-mail address for its format', { nameIdFormat: emailFormat }, 'jane@acme.test'],
    ['a claim named as it is', { userIdSource: 'employee.number' }, '4711'],
    ['what a path points to', { userIdSource: "$.['ext']['ids'][-1].value" }, 'last'],
    ['the first of several', { userIdSource: '$.ext.ids[*].value' }, 'first'],
    ['what the source says, whatever the format', { userIdSource: 'user_id', nameIdFormat: emailFormat }, 'id-jane'],
  ])('DS-100 takes for the user id %s', async (_what, more, id) => {
    await storeOwnKey()
    await store(running, bearer(more))
    const assertion = await sentFor(jane({ 'employee.number': 4711, ext: { ids: [{ value: 'first' }, { value: 'last' }] } }))
    expect(assertion.text('NameID')).toBe(id)
    expect(assertion.attribute('NameID', 'Format')).toBe(more.nameIdFormat ?? 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified')
  })

  it.each([
    ['the source is not there', { userIdSource: 'none' }],
    ['the path is none', { userIdSource: '$..[?(@.a)]' }],
    ['the path leads to nothing', { userIdSource: '$.ext.none' }],
    ['the path leads to no text', { userIdSource: '$.ext_attr' }],
    ['no claim belongs to the format', { nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent' }],
  ])('DS-100 cannot tell the user id when %s', async (_what, more) => {
    await storeOwnKey()
    await store(running, bearer(more))
    expect(await entryOf(running, { 'x-user-token': jane() })).toEqual(failed(`${failedBecause}user ID could not be determined`))
    expect(tokenServer.calls).toEqual([])
  })

  it('DS-100 looks for the source among the user’s attributes, when the token may read them', async () => {
    issuerServer.answerJson(200, { user_attributes: { costCenter: ['1000'] } })
    await storeOwnKey()
    await store(running, bearer({ userIdSource: 'costCenter' }))
    expect((await sentFor(jane({ scope: ['user_attributes'] }))).text('NameID')).toBe('1000')
    expect(await entryOf(running, { 'x-user-token': jane({ scope: ['openid'] }) })).toEqual(
      failed(`${failedBecause}user ID could not be determined`),
    )
  })

  it('DS-101 tells what the token service knows about the user, and the groups of the token', async () => {
    issuerServer.answerJson(200, {
      user_uuid: 'uuid',
      given_name: 'Jane',
      user_attributes: { country: ['DE', 'FR'], level: 3 },
      none: null,
    })
    await storeOwnKey()
    const groups = { 'xs.system.attributes': { 'xs.saml.groups': ['a', 'b'] }, user_attributes: { 'xs.saml.groups': ['b', 'c'] } }
    const user = (): string => jane({ scope: ['openid', 'user_attributes'], ...groups })
    await store(running, bearer())
    const base = { given_name: ['Jane'], Groups: ['a', 'b', 'c'], client_id: ['client-key'] }
    const prefixed = { 'user_attributes.country': ['DE', 'FR'], 'user_attributes.level': ['3'] }
    const token = user()
    expect((await sentFor(token)).attributes).toEqual({ ...base, ...prefixed, user_uuid: ['uuid'] })
    expect(issuerServer.calls).toMatchObject([{ method: 'GET', url: '/userinfo', headers: { authorization: `Bearer ${token}` } }])
    await store(running, bearer({ skipUserAttributesPrefixInSAMLAttributes: 'true', skipUserUuidInSAMLAttributes: 'TRUE', apiKey: 'ak' }))
    expect((await sentFor(user())).attributes).toEqual({ ...base, country: ['DE', 'FR'], level: ['3'], api_key: ['ak'] })
  })

  it('DS-101 asks nobody about users whose token may not be asked for', async () => {
    await storeOwnKey()
    await store(running, bearer())
    expect((await sentFor(jane())).attributes).toEqual({ client_id: ['client-key'] })
    expect(issuerServer.calls).toEqual([])
  })

  it('says when the token service does not tell about the user', async () => {
    issuerServer.answerJson(403, { error: 'insufficient_scope' })
    await storeOwnKey()
    await store(running, bearer())
    expect(await entryOf(running, { 'x-user-token': jane({ scope: ['openid'] }) })).toEqual(
      failed(`${failedBecause}Request to the /userinfo endpoint ended with status code 403`),
    )
    expect(tokenServer.calls).toEqual([])
  })

  it.each(['rsa', 'ec'] as const)('DS-102 verifies against the %s key of its key store, which is in it on request only', async (kind) => {
    await storeOwnKey(kind)
    await store(running, bearer())
    const plain = await sentFor(jane())
    expect(kind === 'ec' || isSignedBy(plain.xml, own.rsa.certificate)).toBe(true)
    expect(isSignedBy(plain.xml, ca.issue({ subject: '/CN=another', keyType: 'rsa' }).certificate)).toBe(false)
    expect(isSignedBy(plain.xml.replace('jane', 'joe!'), own.rsa.certificate)).toBe(false)
    expect(plain.text('X509Certificate')).toBeUndefined()
    await store(running, bearer({ includeSigningCertificateInSAMLAssertion: 'true' }))
    const embedded = (await sentFor(jane())).text('X509Certificate') ?? ''
    expect(Buffer.from(embedded, 'base64')).toEqual(new X509Certificate(own[kind].certificate).raw)
    expect((await find(running, { 'x-user-token': jane() })).certificates).toMatchObject([{ Name: 'own.pem' }])
  })

  it('DS-102 DS-119 verifies against the active trust key where no key store is named, and after a rotation against the other', async () => {
    await store(running, bearer({ KeyStoreLocation: '' }))
    expect(await entryOf(running, { 'x-user-token': jane() })).toEqual(failed(`${failedBecause}${noKeys}`))
    const [first, second] = [await makeTrust(), (await makeTrust('certificate/passive'), await passiveCertificate())]
    const before = await sentFor(jane())
    expect([isSignedBy(before.xml, first), isSignedBy(before.xml, second)]).toEqual([true, false])
    expect(before.text('Issuer')).toBe(`cfapps.${landscape}/${providerSubaccount}`)
    expect((await running.call('POST', '/v1/saml2Metadata/rotateCertificate')).status).toBe(200)
    const after = await sentFor(jane())
    expect([isSignedBy(after.xml, first), isSignedBy(after.xml, second)]).toEqual([false, true])
  })

  async function passiveCertificate(): Promise<string> {
    return ((await running.call('GET', '/v1/saml2Metadata/certificate/passive')).json as { certificate: string }).certificate
  }

  it('DS-103 forwards an assertion of the caller as it is, and says when there is none', async () => {
    await store(running, bearer({ SAMLAssertionProvider: 'ClientProvided', audience: '', authnContextClassRef: '', KeyStoreLocation: '' }))
    expect(await entryOf(running)).toEqual(failed(`${failedBecause}The header X-samlAssertion is missing`))
    expect(tokenServer.calls).toEqual([])
    const given = 'PHNhbWw+PC9zYW1sPg=='
    expect(await entryOf(running, { 'x-samlassertion': given })).toMatchObject({ type: 'Bearer' })
    expect(formOf()['assertion']).toBe(given)
    await find(running, { 'x-samlassertion': 'other' })
    expect(formOf(1)['assertion']).toBe('other')
  })

  it('needs no user with SystemUser', async () => {
    await storeOwnKey()
    await store(running, bearer({ SystemUser: 'TECHNICAL' }))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer' })
    expect(readAssertion(formOf()['assertion'] ?? '').text('NameID')).toBe('TECHNICAL')
  })

  it.each(['audience', 'clientKey', 'authnContextClassRef', 'tokenServiceURL'])('says that %s is missing', async (name) => {
    await storeOwnKey()
    await store(running, bearer({ [name]: '' }))
    expect(await entryOf(running, { 'x-user-token': jane() })).toEqual(failed(`${failedBecause}The property ${name} is missing`))
  })

  it('refuses to write what XML cannot carry', async () => {
    await storeOwnKey()
    await store(running, bearer())
    for (const name of ['a\u0000b', 'a\rb', 'a\ufffeb']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is fine here
      expect(await entryOf(running, { 'x-user-token': issuer.user('jane', { scope: [], user_name: name }) })).toEqual(
        failed(expect.stringContaining('XML cannot carry')),
      )
    }
    const assertion = await sentFor(issuer.user('jane', { scope: [], user_name: '</saml2:NameID><x a="&"> 𝒥\n' }))
    expect(assertion.text('NameID')).toBe('</saml2:NameID><x a="&"> 𝒥\n')
    expect(isSignedBy(assertion.xml, own.rsa.certificate)).toBe(true)
  })
})

describe('SAMLAssertion', () => {
  it('DS-098 DS-104 CL-105 is the assertion itself, in Base64, ready to be sent, without lifetime and without a call', async () => {
    await storeOwnKey()
    await store(running, assertionType())
    const entry = await entryOf(running, { 'x-user-token': jane() })
    expect(entry).toEqual({ type: 'SAML2.0', value: entry.value, http_header: { key: 'Authorization', value: `SAML2.0 ${entry.value}` } })
    expect(Buffer.from(entry.value, 'base64').toString('base64')).toBe(entry.value)
    const assertion = readAssertion(entry.value)
    expect(assertion.text('NameID')).toBe('jane')
    expect(assertion.attribute('SubjectConfirmationData', 'Recipient')).toBe('https://target.example/odata')
    expect(isSignedBy(assertion.xml, own.rsa.certificate)).toBe(true)
    await store(running, assertionType({ samlAssertionEncoding: 'base64url', nameQualifier: '>>>???' }))
    expect((await entryOf(running, { 'x-user-token': jane() })).value).toMatch(/^[\w-]+$/)
    expect(tokenServer.calls).toEqual([])
  })

  it('is new each time', async () => {
    await storeOwnKey()
    await store(running, assertionType())
    const user = jane()
    const ids = [await entryOf(running, { 'x-user-token': user }), await entryOf(running, { 'x-user-token': user })].map((entry) =>
      readAssertion(entry.value).attribute('Assertion', 'ID'),
    )
    expect(new Set(ids).size).toBe(2)
  })

  it('needs a user, and a key', async () => {
    await store(running, assertionType({ KeyStoreLocation: '' }))
    expect(await entryOf(running)).toEqual(failed(expect.stringContaining('A user token is needed')))
    expect(await entryOf(running, { 'x-user-token': jane() })).toEqual(failed(noKeys))
  })
})
