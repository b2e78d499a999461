// What an application does with the official library, in a process of its own because Node reads NODE_EXTRA_CA_CERTS at its start.
// Reads its settings from standard input and prints the outcome of each call as one JSON object.
import { text } from 'node:stream/consumers'
import xssec from '@sap/xssec'

const { credentials, destination, certificate, identity, other, user } = JSON.parse(await text(process.stdin))
const { XsuaaService, IdentityService, createSecurityContext } = xssec
const outcomes = {}
const attempt = async (name, work) => {
  try {
    outcomes[name] = { value: await work() }
  } catch (error) {
    outcomes[name] = { error: error.constructor.name, status: error.responseCode, text: error.responseText, message: error.message }
  }
}

const service = new XsuaaService(credentials)
await attempt('technical', () => service.fetchClientCredentialsToken())
await attempt('technicalOfTenant', () => service.fetchClientCredentialsToken({ zid: user.zid, authorities: { level: '3' } }))
await attempt('technicalOfUnknownTenant', () => service.fetchClientCredentialsToken({ zid: 'unknown' }))
await attempt(
  'manyAtOnce',
  async () =>
    (await Promise.all(Array.from({ length: 20 }, (_, at) => service.fetchClientCredentialsToken({ authorities: { at: String(at) } }))))
      .length,
)
await attempt('password', () => service.fetchPasswordToken(user.name, user.password))
await attempt('wrongPassword', () => service.fetchPasswordToken(user.name, 'wrong'))
const jwt = outcomes.password.value?.access_token

const describeContext = (context) => ({
  userName: context.token.payload.user_name,
  email: context.getEmail(),
  givenName: context.getGivenName(),
  subdomain: context.getSubdomain?.() ?? null,
  zone: context.token.zid,
  clientId: context.getClientId(),
  display: context.checkLocalScope('Display'),
  admin: context.checkLocalScope('Admin'),
  country: context.getAttribute('country'),
})
await attempt('userContext', async () => describeContext(await createSecurityContext(service, { jwt })))
await attempt(
  'technicalContext',
  async () => (await createSecurityContext(service, { jwt: outcomes.technicalOfTenant.value.access_token })).token.payload.az_attr,
)
await attempt('changedToken', async () => describeContext(await createSecurityContext(service, { jwt: `${jwt.slice(0, -8)}AAAAAAAA` })))
await attempt('foreignAudience', async () => describeContext(await createSecurityContext(new XsuaaService(other), { jwt })))

const exchange = new XsuaaService(destination)
await attempt('exchange', async () => exchange.fetchJwtBearerToken(jwt, { zid: user.zid }))
await attempt('exchangedContext', async () =>
  describeContext(await createSecurityContext(exchange, { jwt: outcomes.exchange.value.access_token })),
)

const mutual = new XsuaaService(certificate)
await attempt('certificate', () => mutual.fetchClientCredentialsToken())
await attempt('certificateOfTenant', () => mutual.fetchClientCredentialsToken({ zid: user.zid }))

const oidc = new IdentityService(identity)
await attempt('discovery', async () => (await oidc.getOpenIDConfiguration()).token_endpoint)
await attempt('oidcTechnical', () => oidc.fetchClientCredentialsToken())

process.stdout.write(JSON.stringify(outcomes))
