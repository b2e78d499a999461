import { consumeResultSchema, findResultSchema } from '@sallyport/admin-api'
import { apiRoot, type Route, type RouteDescription } from '../http/route.ts'
import { consumeDestination, findDestination } from './find-destination.ts'

const tag = 'Find'

const query: RouteDescription['query'] = {
  $skipTokenRetrieval: 'true: no token service is called, and the answer has no authTokens',
  $skipCredentials: 'true: the configuration comes without passwords and secrets; tokens are fetched all the same',
}

const headers: RouteDescription['headers'] = {
  'X-user-token': 'The JWT of the user in whose name the destination is called; wins over a user in Authorization',
  'X-tenant': 'Tenant subdomain for a token service URL of the type Common',
  'X-fragment-name': 'Fragments to lay over the destination, from left to right, separated by commas; in version 2 each may be name@level',
  'X-fragment-optional': 'true: a single fragment that is missing is no error',
  'X-chain-name': 'A predefined chain of destinations',
  'X-chain-var-*': 'A variable of the chain',
  'X-client-assertion': 'A signed statement that stands in for the client secret',
  'X-client-assertion-type': 'What kind of statement that is',
  'X-client-assertion-destination-name': 'A destination that makes the statement',
  'X-samlAssertion': 'The assertion of OAuth2SAMLBearerAssertion with SAMLAssertionProvider ClientProvided',
  'X-refresh-token': 'For OAuth2RefreshToken',
  'X-code': 'For OAuth2AuthorizationCode',
  'X-redirect-uri': 'For OAuth2AuthorizationCode, URL-encoded',
  'X-code-verifier': 'For OAuth2AuthorizationCode with PKCE',
  'X-subject-token': 'For OAuth2TokenExchange',
  'X-subject-token-type': 'For OAuth2TokenExchange',
  'X-actor-token': 'For OAuth2TokenExchange',
  'X-actor-token-type': 'For OAuth2TokenExchange',
  'If-Match': 'The versions that the caller accepts',
  'If-None-Match': 'The versions that the caller has already',
}

const unchanged = { description: 'The caller has this version already' }

/** Find, and consume with a level. */
export const findRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: `${apiRoot}/v1/destinations/:name`,
    description: {
      tag,
      summary: 'Finds a destination on the level of the instance, else of the subaccount, with the tokens that it asks for',
      query: { ...query, $includeMetadata: 'labels' },
      headers,
      answers: { 200: { description: 'The destination', body: findResultSchema }, 304: unchanged },
      refusals: [404, 412],
    },
    answer: findDestination,
  },
  {
    method: 'GET',
    path: `${apiRoot}/v2/destinations/:name`,
    description: {
      tag,
      summary:
        'Finds a destination on one level: name@subaccount, name@instance, name@provider_subaccount or name@provider_instance; the instance when none is given',
      query: { ...query, $includeMetadata: 'owner;labels' },
      headers,
      answers: { 200: { description: 'The destination', body: consumeResultSchema }, 304: unchanged },
      refusals: [404, 412, 422],
    },
    answer: consumeDestination,
  },
]
