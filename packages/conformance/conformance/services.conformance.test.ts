import { describe, expect, it } from 'vitest'
import { runServiceCase, type ServiceCaseName, serviceCases, type ServiceParts } from '../src/cases.ts'
import { describeServices } from '../src/index.ts'

/** Services as small as the table allows: one client, one destination. `broken` changes an answer, by path. */
function partsOf(
  changed: Readonly<Record<string, unknown>> = {},
  broken: (path: string, answer: { status: number; body: unknown }) => { status: number; body: unknown } = (_path, answer) => answer,
): ServiceParts {
  const answerOf = (path: string, form: URLSearchParams, authorization: string | undefined): { status: number; body: unknown } => {
    if (path === '/oauth/token') {
      if (form.get('client_secret') !== 's3cret') return { status: 401, body: { error: 'invalid_client' } }
      if (form.get('grant_type') !== 'client_credentials') return { status: 401, body: { error: 'unsupported_grant_type' } }
      return { status: 200, body: { access_token: 'a.b.c', token_type: 'bearer', expires_in: 3600 } }
    }
    if (authorization === undefined) return { status: 401, body: { ErrorMessage: 'Missing token' } }
    if (authorization !== 'Bearer a.b.c') return { status: 401, body: { ErrorMessage: 'Unable to parse the JWT in Authorization Header.' } }
    if (path.endsWith('/destinations/KNOWN'))
      return { status: 200, body: { owner: { SubaccountId: 'demo' }, destinationConfiguration: { Name: 'KNOWN', Type: 'HTTP' } } }
    return { status: 404, body: { ErrorMessage: 'Configuration with the specified name was not found' } }
  }
  const client = { clientid: 'c', clientsecret: 's3cret', url: 'https://tokens.test' }
  return {
    connectivity: {
      ...client,
      token_service_url: 'https://tokens.test',
      onpremise_proxy_port: '20003',
      onpremise_proxy_http_port: '20003',
      ...changed,
    },
    destination: { ...client, uri: 'https://destinations.test' },
    stored: 'KNOWN',
    async request(url, { headers, body }) {
      const { pathname } = new URL(url)
      const answer = broken(pathname, answerOf(pathname, new URLSearchParams(body), headers?.['authorization']))
      return { status: answer.status, text: async () => JSON.stringify(answer.body) }
    },
    limitMs: 300,
  }
}

describeServices('in memory', { ...partsOf(), features: { secret: true, destinations: true, stored: true } })

const always = (status: number, body: unknown) => partsOf({}, (path, answer) => (path === '/oauth/token' ? answer : { status, body }))
const tokens = (status: number, body: unknown) => partsOf({}, (path, answer) => (path === '/oauth/token' ? { status, body } : answer))
const token = { access_token: 'a.b.c', token_type: 'bearer', expires_in: 3600 }

const broken: Record<ServiceCaseName, ServiceParts> = {
  'names the HTTP port of the proxy twice, alike': partsOf({ onpremise_proxy_port: '20004' }),
  'gives every port as text': partsOf({ onpremise_socks5_proxy_port: 20004 }),
  'names the token service twice, alike and without a path': partsOf({ token_service_url: 'https://tokens.test/oauth/token' }),
  'issues a token for client credentials': tokens(200, { ...token, expires_in: '3600' }),
  'issues nothing for a wrong secret': tokens(200, token),
  'issues nothing for a grant that does not exist': tokens(200, token),
  'finds a destination, whose values are text': always(200, {
    owner: { SubaccountId: 'demo' },
    destinationConfiguration: { Name: 'KNOWN', port: 443 },
  }),
  'answers an unknown destination with 404': always(200, {}),
  'answers an unknown destination of the subaccount with 404 in the documented words': always(404, { ErrorMessage: 'not found' }),
  'answers 401 to who brings no token, or none that can be read': always(401, { ErrorMessage: 'no' }),
}

describe('the suite notices services that', () => {
  it.each(Object.keys(broken) as ServiceCaseName[])('break the case "%s"', async (name) => {
    await expect(runServiceCase(serviceCases[name], broken[name])).rejects.toThrow(/./)
  })
})
