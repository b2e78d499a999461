import { describe, expect, it } from 'vitest'
import { destinationFromServiceKey, resolveDescriptor, type ServiceKey } from '../index.ts'

const uaa = { url: 'https://acme.authentication.example/', clientid: 'sb-orders', clientsecret: 's' }
const pem = {
  certificate: '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n',
  certurl: 'https://acme.authentication.cert.example',
}
const client = {
  Authentication: 'OAuth2ClientCredentials',
  clientId: 'sb-orders',
  clientSecret: 's',
  tokenServiceURL: 'https://acme.authentication.example/oauth/token',
  tokenServiceURLType: 'Dedicated',
}
const target = { Name: 'orders', Type: 'HTTP', ProxyType: 'Internet' }

describe('a destination from a service key', () => {
  it.each<[string, ServiceKey, string]>([
    ['with the client below uaa', { url: 'https://orders.example', uaa }, 'https://orders.example'],
    ['with uri', { uri: 'https://orders.example', ...uaa }, 'https://orders.example'],
    ['with endpoints', { endpoints: { docs: 'https://docs.example', api: 'https://api.example' }, uaa }, 'https://api.example'],
    ['with another endpoint', { endpoints: { orders: 'https://o.example' }, ...uaa }, 'https://o.example'],
  ])('%s', (_what, key, URL) => {
    expect(destinationFromServiceKey(key, { name: 'orders' })).toEqual({ destination: { ...target, URL, ...client } })
  })

  it('takes another address, authentication and properties from whoever makes it', () => {
    const options = {
      name: 'orders',
      url: 'https://else.example',
      authentication: 'OAuth2JWTBearer',
      properties: { ProxyType: 'PrivateLink', x: 'y' },
    }
    expect(destinationFromServiceKey({ uaa }, options)).toEqual({
      destination: {
        ...target,
        ...client,
        URL: 'https://else.example',
        Authentication: 'OAuth2JWTBearer',
        ProxyType: 'PrivateLink',
        x: 'y',
      },
    })
    expect(destinationFromServiceKey({ uri: 'https://o.example' }, { name: 'orders', authentication: 'NoAuthentication' })).toEqual({
      destination: { ...target, URL: 'https://o.example', Authentication: 'NoAuthentication' },
    })
  })

  it.each([
    ['of the key', { key: 'KEY' }, {}],
    ['of its owner', {}, { privateKey: 'KEY' }],
  ])('with a certificate has a key store, with the private key %s', (_what, own, given) => {
    const { clientsecret: _secret, ...rest } = uaa
    const made = destinationFromServiceKey({ uri: 'https://o.example', uaa: { ...rest, ...pem, ...own } }, { name: 'orders', ...given })
    const { clientSecret: _shared, ...expected } = client
    expect(made).toEqual({
      destination: {
        ...target,
        URL: 'https://o.example',
        ...expected,
        tokenServiceURL: 'https://acme.authentication.cert.example/oauth/token',
        'tokenService.KeyStoreLocation': 'orders.pem',
      },
      certificate: { Name: 'orders.pem', Content: Buffer.from(`${pem.certificate.trim()}\nKEY\n`).toString('base64') },
    })
  })

  it.each<[ServiceKey, RegExp]>([
    [{ uaa }, /names no address/],
    [{ uri: 'https://o.example' }, /no clientid/],
    [{ uri: 'https://o.example', clientid: 'c' }, /where its token service is/],
    [{ uri: 'https://o.example', clientid: 'c', url: 'https://u' }, /neither a secret nor a certificate/],
    [{ uri: 'https://o.example', clientid: 'c', url: 'https://u', certificate: 'C' }, /no private key/],
    [{ uri: 7, uaa: 'x' }, /names no address/],
  ])('says what is missing in %j', (key, problem) => {
    expect(destinationFromServiceKey(key, { name: 'orders' })).toEqual({ problem: expect.stringMatching(problem) as string })
  })
})

describe('a descriptor of a multi-target application', () => {
  const keys: Record<string, ServiceKey> = { 'orders/key': { uri: 'https://orders.example', uaa }, 'xsuaa/key': uaa }
  const resolve = (descriptor: Parameters<typeof resolveDescriptor>[0]) =>
    resolveDescriptor(descriptor, (instance, key) => keys[`${instance}/${key}`])

  it('without keys stays as it is', () => {
    expect(resolve({ Name: 'a', Type: 'HTTP', URL: 'https://a', n: 1 })).toEqual({
      destination: { Name: 'a', Type: 'HTTP', URL: 'https://a', n: '1' },
    })
  })

  it('takes address and credentials from the key of a service', () => {
    const descriptor = { Name: 'orders', Description: 'd', ServiceInstanceName: 'orders', ServiceKeyName: 'key' }
    expect(resolve(descriptor)).toEqual({ destination: { ...target, URL: 'https://orders.example', ...client, Description: 'd' } })
  })

  it('takes only the tokens from the key of a token service', () => {
    const descriptor = { Name: 'orders', URL: 'https://else.example', Authentication: 'OAuth2UserTokenExchange' }
    expect(resolve({ ...descriptor, TokenServiceInstanceName: 'xsuaa', TokenServiceKeyName: 'key' })).toEqual({
      destination: { ...target, ...client, ...descriptor },
    })
  })

  it.each([
    [{ Name: 'a', ServiceInstanceName: 'orders' }, /needs that of a key/],
    [{ Name: 'a', ServiceInstanceName: 'orders', ServiceKeyName: 'none' }, /no key "none" of the service instance "orders"/],
    [{ Name: 'a', TokenServiceInstanceName: 'xsuaa', TokenServiceKeyName: 'key' }, /needs a URL/],
  ])('says what is missing in %j', (descriptor, problem) => {
    expect(resolve(descriptor)).toEqual({ problem: expect.stringMatching(problem) as string })
  })
})
