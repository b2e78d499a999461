// @sap/xssec 3 as a resource server uses it: callbacks, keys from the PEM in the key set, exchange for the user and for the client.
import { createRequire } from 'node:module'
import { promisify } from 'node:util'

const xssec = createRequire(import.meta.url)('xssec3')
const [jwt] = process.argv.slice(2)
const credentials = JSON.parse(process.env.VCAP_SERVICES).xsuaa[0].credentials
const createContext = (token) =>
  new Promise((resolve, reject) =>
    xssec.createSecurityContext(token, credentials, (error, context) => (error ? reject(error) : resolve(context))),
  )
try {
  const context = await createContext(jwt)
  const userToken = await promisify(xssec.requests.requestUserToken)(jwt, credentials, null, null, null, null)
  const clientToken = await promisify(xssec.requests.requestClientCredentialsToken)(null, credentials, null, null)
  const exchanged = await createContext(userToken)
  const technical = await createContext(clientToken)
  console.log(
    JSON.stringify({
      user: context.getLogonName(),
      email: context.getEmail(),
      tenant: context.getZoneId(),
      grant: context.getGrantType(),
      sales: context.checkLocalScope('sales'),
      country: context.getAttribute('country'),
      exchangedUser: exchanged.getLogonName(),
      technicalGrant: technical.getGrantType(),
    }),
  )
} catch (error) {
  console.log(JSON.stringify({ error: error.message, name: error.name }))
  process.exitCode = 1
}
