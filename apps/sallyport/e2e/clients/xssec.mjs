// @sap/xssec as a resource server uses it: validates a token with the bound xsuaa service, then exchanges and refreshes as asked.
import { createSecurityContext, XsuaaService } from '@sap/xssec'

const [jwt] = process.argv.slice(2)
const credentials = JSON.parse(process.env.VCAP_SERVICES).xsuaa[0].credentials
const service = new XsuaaService(credentials)
try {
  const context = await createSecurityContext(service, { jwt })
  const exchanged = await service.fetchJwtBearerToken(jwt)
  const technical = await service.fetchClientCredentialsToken()
  const again = await createSecurityContext(new XsuaaService(credentials), { jwt: exchanged.access_token })
  console.log(
    JSON.stringify({
      user: context.token.payload.user_name,
      tenant: context.token.payload.zid,
      scopes: context.token.payload.scope,
      exchangedUser: again.token.payload.user_name,
      technicalType: technical.token_type,
      expiresIn: technical.expires_in,
    }),
  )
} catch (error) {
  console.log(JSON.stringify({ error: error.message, name: error.name }))
  process.exitCode = 1
}
