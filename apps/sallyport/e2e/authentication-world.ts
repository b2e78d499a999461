import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { writePkcs12 } from '@sallyport/keystore'
import { createTestCa } from '@sallyport/test-fixtures'
import { openBoundServices, type BoundServices } from './bound-services.ts'
import { type Company, startCompany, writeConfiguration } from './company.ts'
import { type EchoBackend, startEchoBackend } from './echo-backend.ts'
import { createInstallation, type Installation } from './installation.ts'
import { type SamlTokenService, startSamlTokenService } from './saml-token-service.ts'

export const password = 'correct horse battery'
const keyStorePassword = 'of the store'

/** A running stack with a destination for each authentication type that official clients support, and the backends behind them. */
export interface AuthenticationWorld extends AsyncDisposable {
  readonly stack: Installation
  readonly services: BoundServices
  readonly backend: EchoBackend
  readonly secureBackend: EchoBackend
  readonly saml: SamlTokenService
  /** PEM of the authority that issued the certificate of `secureBackend`. */
  readonly partnerAuthority: string
  /** A user token and, from the same log-on, a refresh token of the application. */
  readonly user: { readonly token: string; readonly refreshToken: string }
}

/** With `hostNames` tenants have hosts below `authentication.sallyport.test`, which `hosts.mjs` makes this machine. */
export async function openAuthenticationWorld({ hostNames = false } = {}): Promise<AuthenticationWorld> {
  const hosts = `--import ${pathToFileURL(join(import.meta.dirname, 'hosts.mjs')).href}`
  const stack = await createInstallation(hostNames ? { environment: { NODE_OPTIONS: hosts } } : {})
  const tokenServiceUrl = `https://authentication.sallyport.test:${stack.port('tokenService')}`
  const company: Company = await startCompany(stack.folder)
  const authority = createTestCa({ subject: '/O=Partner/CN=Partner CA' })
  const backend = await startEchoBackend()
  const secureBackend = await startEchoBackend({
    ...authority.issue({ subject: '/CN=backend' }),
    clientAuthority: authority.certificate,
  })
  const saml = await startSamlTokenService()
  const file = writeConfiguration(
    stack.file('sallyport.yaml'),
    `version: 1
subaccounts:
  - id: demo
    subdomain: acme
    users: [{ name: jane@acme.test, password: "${password}", givenName: Jane, familyName: Roe, groups: [sales] }]
  - id: buyer
    users: [{ name: eve@buyer.test }]
    destinations: [{ Name: BOTH, Type: HTTP, ProxyType: Internet, URL: "${backend.url}/subscriber", Authentication: NoAuthentication }]
${company.connectors({ mappings: `      - { virtual: "echo.http:80", internal: "http://127.0.0.1:${backend.port}", resources: [{ path: /, subPaths: true }] }\n` })}
server:
  tokenService: ${hostNames ? `{ url: "${tokenServiceUrl}", tenantHosts: true }` : '{}'}
  destinationService: { allowPrivateTokenServices: true }
`,
  )
  await stack.dev(['--config', file])
  const services = openBoundServices(stack)

  const identity = authority.issue({ subject: '/O=Partner/CN=application', keyType: 'rsa' })
  const keyStore = await writePkcs12({
    alias: 'client',
    privateKey: identity.key,
    certificates: [identity.certificate, authority.certificate],
    password: keyStorePassword,
  })
  const certificates = [
    { Name: 'client.p12', Type: 'CERTIFICATE', Content: keyStore.toString('base64') },
    // One client reads this name for a trust store, another that one.
    ...['partner.pem', 'partner.crt'].map((Name) => ({
      Name,
      Type: 'CERTIFICATE',
      Content: Buffer.from(authority.certificate).toString('base64'),
    })),
  ]
  const { clientid = '', clientsecret = '', url = '' } = services.credentials.xsuaa
  const tokenService = {
    tokenServiceURL: `${url}/oauth/token`,
    tokenServiceURLType: 'Dedicated',
    clientId: clientid,
    clientSecret: clientsecret,
  }
  const samlService = {
    tokenServiceURL: `${saml.url}/oauth/token`,
    tokenServiceURLType: 'Dedicated',
    clientKey: 'saml-client',
    tokenServiceUser: 'saml-client',
    tokenServicePassword: 'saml-secret',
    audience: 'partner',
    authnContextClassRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession',
  }
  const at = (Name: string, Authentication: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    Name,
    Type: 'HTTP',
    ProxyType: 'Internet',
    URL: backend.url,
    Authentication,
    ...more,
  })
  const secure = { URL: secureBackend.url, KeyStoreLocation: 'client.p12', KeyStorePassword: keyStorePassword }
  const destinations = [
    at('NONE', 'NoAuthentication', {
      'URL.headers.x-extra': 'from the destination',
      'URL.queries.sap-language': 'EN',
      'sap-client': '100',
    }),
    at('FORWARDED', 'NoAuthentication', { forwardAuthToken: 'true', 'HTML5.ForwardAuthToken': 'true' }),
    at('BASIC', 'BasicAuthentication', { User: 'robot', Password: 'p:ss wörd' }),
    at('CLIENT_CERTIFICATE', 'ClientCertificateAuthentication', { ...secure, TrustStoreLocation: 'partner.pem' }),
    at('CLIENT_CERTIFICATE_JAVA', 'ClientCertificateAuthentication', { ...secure, TrustStoreLocation: 'partner.crt' }),
    at('PRINCIPAL', 'PrincipalPropagation', { ProxyType: 'OnPremise', URL: 'http://s4.demo:443' }),
    at('ON_PREMISE', 'NoAuthentication', { ProxyType: 'OnPremise', URL: 'http://echo.http:80' }),
    at('ON_PREMISE_BASIC', 'BasicAuthentication', { ProxyType: 'OnPremise', URL: 'http://echo.http:80', User: 'robot', Password: 'p:ss' }),
    at('CLIENT_CREDENTIALS', 'OAuth2ClientCredentials', tokenService),
    at('PASSWORD', 'OAuth2Password', { ...tokenService, User: 'jane@acme.test', Password: password }),
    at('JWT_BEARER', 'OAuth2JWTBearer', tokenService),
    at('USER_TOKEN_EXCHANGE', 'OAuth2UserTokenExchange', tokenService),
    at('REFRESH_TOKEN', 'OAuth2RefreshToken', tokenService),
    at('SAML_BEARER', 'OAuth2SAMLBearerAssertion', samlService),
    at('SAML_SYSTEM_USER', 'OAuth2SAMLBearerAssertion', { ...samlService, SystemUser: 'BATCH' }),
    at('SAML_ASSERTION', 'SAMLAssertion', { audience: 'partner', authnContextClassRef: samlService.authnContextClassRef }),
    at('BOTH', 'NoAuthentication', { URL: `${backend.url}/provider` }),
    at('PROVIDER_ONLY', 'NoAuthentication', { URL: `${backend.url}/provider` }),
    at('REFUSED', 'OAuth2ClientCredentials', { ...tokenService, clientSecret: 'wrong' }),
  ]
  for (const [path, list] of [
    ['saml2Metadata/certificate', undefined],
    ['subaccountCertificates', certificates],
    ['subaccountDestinations', destinations],
  ] as const) {
    const answer = await services.destinations('POST', path, list)
    if (answer.status > 299 || JSON.stringify(answer.body ?? '').includes('"cause"')) throw new Error(JSON.stringify(answer))
  }
  const logOn = { grant_type: 'password', username: 'jane@acme.test', password }
  const user = await services.token('xsuaa', logOn)
  return {
    stack,
    services,
    backend,
    secureBackend,
    saml,
    partnerAuthority: authority.certificate,
    user: { token: user.access_token, refreshToken: user.refresh_token ?? '' },
    async [Symbol.asyncDispose]() {
      await services[Symbol.asyncDispose]()
      await stack[Symbol.asyncDispose]()
      await Promise.all([company, backend, secureBackend, saml].map((part) => part[Symbol.asyncDispose]()))
    },
  }
}

/** Claims of the bearer token in a header. */
export function claimsOf(authorization: string | undefined): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(authorization?.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>
}

/** XML of the assertion in an `Authorization: SAML2.0 …` header. */
export function assertionOf(authorization: string | undefined): string {
  return Buffer.from(authorization?.replace('SAML2.0 ', '') ?? '', 'base64').toString('utf8')
}
