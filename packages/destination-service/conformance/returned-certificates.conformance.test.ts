import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { failed, find, store, storeFile } from './look-up.ts'
import { type RunningService, startService } from './running-service.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

const ca = createTestCa()
const client = ca.issue({ subject: '/CN=client', keyType: 'rsa' })
const keyStore = `${client.certificate}\n${client.key}`
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const keyEntry = { Name: 'Key.pem', Content: base64(keyStore), Type: 'CERTIFICATE' }
const trustEntry = { Name: 'trust.pem', Content: base64(ca.certificate), Type: 'CERTIFICATE' }

let running: RunningService
let tokenServer: TokenServer
beforeEach(async () => {
  tokenServer = await startTokenServer()
  running = await startService()
  await storeFile(running, 'Key.pem', keyStore)
  await storeFile(running, 'trust.pem', ca.certificate)
})
afterEach(async () => {
  await running.close()
  await tokenServer.close()
})

const destination = (Authentication: string, more: Record<string, string> = {}): Record<string, string> => ({
  Name: 'd',
  Type: 'HTTP',
  URL: 'https://x',
  ProxyType: 'Internet',
  Authentication,
  ...more,
})

describe('ClientCertificateAuthentication', () => {
  it('DS-087 CL-104 returns the key store under its name, then the trust store, and no tokens', async () => {
    await store(running, destination('ClientCertificateAuthentication', { KeyStoreLocation: 'Key.pem', KeyStorePassword: '' }))
    const found = await find(running)
    expect(found.certificates).toEqual([keyEntry])
    expect(found).not.toHaveProperty('authTokens')
    await store(running, destination('ClientCertificateAuthentication', { KeyStoreLocation: 'Key.pem', TrustStoreLocation: 'trust.pem' }))
    expect((await find(running)).certificates).toEqual([keyEntry, trustEntry])
    expect((await find(running, {}, { query: '?$skipTokenRetrieval=true' })).certificates).toEqual([keyEntry, trustEntry])
  })

  it('DS-088 needs and returns no key store that the application has itself', async () => {
    await store(running, destination('ClientCertificateAuthentication', { 'KeyStore.Source': 'ClientProvided' }))
    expect(Object.keys(await find(running)).toSorted()).toEqual(['destinationConfiguration', 'owner'])
    const named = { 'KeyStore.Source': 'ClientProvided', KeyStoreLocation: 'Key.pem', TrustStoreLocation: 'trust.pem' }
    await store(running, destination('ClientCertificateAuthentication', named))
    expect((await find(running)).certificates).toEqual([trustEntry])
  })

  it('prefers the key store of the destination’s own level to that of its subaccount', async () => {
    const own = { Name: 'Key.pem', Type: 'CERTIFICATE', Content: base64(client.certificate) }
    expect((await running.call('POST', '/v1/instanceCertificates', { body: own })).status).toBe(201)
    const onInstance = destination('ClientCertificateAuthentication', { Name: 'i', KeyStoreLocation: 'Key.pem' })
    expect((await running.call('POST', '/v1/instanceDestinations', { body: onInstance })).status).toBe(201)
    expect((await running.call('GET', '/v1/destinations/i')).json).toMatchObject({ certificates: [own] })
    await store(running, destination('ClientCertificateAuthentication', { KeyStoreLocation: 'Key.pem' }))
    expect((await find(running)).certificates).toEqual([keyEntry])
  })

  it.each([
    ['that is not named', {}, 'The property KeyStoreLocation is missing'],
    ['that is not there', { KeyStoreLocation: 'none.p12' }, 'The certificate "none.p12" of the property KeyStoreLocation was not found'],
  ])('says that it needs a key store %s', async (_what, more, text) => {
    await store(running, destination('ClientCertificateAuthentication', more))
    expect((await find(running)).authTokens).toEqual([failed(text)])
    expect(await find(running, {}, { query: '?$skipTokenRetrieval=true' })).not.toHaveProperty('authTokens')
  })
})

describe('certificates of other types', () => {
  it('DS-051 hold the key store of the token service only when no token is fetched', async () => {
    const more = { clientId: 'c', tokenServiceURL: tokenServer.url, 'tokenService.KeyStoreLocation': 'Key.pem' }
    await store(running, destination('OAuth2ClientCredentials', more))
    expect((await find(running, {}, { query: '?$skipTokenRetrieval=true' })).certificates).toEqual([keyEntry])
    expect(await find(running)).not.toHaveProperty('certificates')
  })

  it('hold the trust store, and none that is missing', async () => {
    await store(running, destination('NoAuthentication', { TrustStoreLocation: 'trust.pem', KeyStoreLocation: 'Key.pem' }))
    expect((await find(running)).certificates).toEqual([trustEntry])
    await store(running, destination('NoAuthentication', { TrustStoreLocation: 'none.pem' }))
    expect(await find(running)).not.toHaveProperty('certificates')
  })
})
