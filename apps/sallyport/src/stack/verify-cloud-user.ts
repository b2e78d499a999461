import type { VerifyCloudUser } from '@sallyport/connectivity-proxy'
import { ConnectivityError } from '@sallyport/core'
import { type CockpitClient, connectorAdministratorScope } from './cockpit-client.ts'
import type { Requester } from './request.ts'
import { parseObject, textOf } from './tokens.ts'

/**
 * Asks the token service whether a user of a subaccount, shown by name and password, may add connectors: the application of administrators logs the user on, and
 * the scopes of the token tell. Nothing is kept.
 *
 * @throws ConnectivityError `SERVICE_UNAVAILABLE` when the token service does not decide.
 */
export function createCloudUserCheck(deps: {
  readonly request: Requester
  readonly tokenServiceUrl: string
  readonly cockpit: CockpitClient
  readonly subaccounts: readonly string[]
}): VerifyCloudUser {
  const { cockpit, request, subaccounts, tokenServiceUrl } = deps
  return async ({ password, subaccount, user }) => {
    if (!subaccounts.includes(subaccount)) return { allowed: false, reason: 'credentials' }
    const answer = await request(`${tokenServiceUrl}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', 'x-zid': subaccount },
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: cockpit.clientId,
        client_secret: cockpit.clientSecret,
        username: user,
        password: password.reveal(),
      }).toString(),
    })
    const { access_token: token, error, scope } = parseObject(await answer.text())
    if (answer.status === 200 && typeof token === 'string') {
      const allowed = textOf(scope).split(' ').includes(`${cockpit.xsappname}.${connectorAdministratorScope}`)
      return allowed ? { allowed: true, user } : { allowed: false, reason: 'role' }
    }
    if (answer.status < 500 && (error === 'invalid_grant' || error === 'unauthorized')) return { allowed: false, reason: 'credentials' }
    throw new ConnectivityError(
      'SERVICE_UNAVAILABLE',
      `the token service does not tell whether the user may add connectors (${textOf(error) || `status ${answer.status}`})`,
    )
  }
}
