import { expect } from 'vitest'
import { type AuthenticationWorld, assertionOf, claimsOf } from './authentication-world.ts'
import type { Echo } from './echo-backend.ts'

/** A destination of the world, how it is called, and what its backend must get. */
export interface AuthenticationType {
  readonly destination: string
  /** The client calls on behalf of Jane. */
  readonly user?: true
  readonly refreshToken?: true
  readonly path?: string
  /** `user` is who the business system took the caller for. */
  readonly reached: (echo: Echo & { readonly user?: string }, world: AuthenticationWorld) => void
}

export const authenticationTypes: readonly AuthenticationType[] = [
  {
    destination: 'NONE',
    reached: ({ headers, path }) => {
      expect(headers.authorization).toBeUndefined()
      expect(headers).toMatchObject({ 'x-extra': 'from the destination', 'sap-client': '100' })
      expect(path).toBe('/x?sap-language=EN')
    },
  },
  {
    destination: 'FORWARDED',
    user: true,
    reached: ({ headers }, world) => expect(headers.authorization).toBe(`Bearer ${world.user.token}`),
  },
  {
    destination: 'BASIC',
    reached: ({ headers }) => expect(headers.authorization).toBe(`Basic ${Buffer.from('robot:p:ss wörd').toString('base64')}`),
  },
  { destination: 'CLIENT_CERTIFICATE', reached: ({ certificate }) => expect(certificate).toBe('application') },
  { destination: 'PRINCIPAL', user: true, path: '/sap/bc/ping', reached: ({ user }) => expect(user).toBe('jane@acme.test') },
  { destination: 'ON_PREMISE', reached: ({ headers }) => expect(headers.authorization).toBeUndefined() },
  {
    destination: 'ON_PREMISE_BASIC',
    reached: ({ headers }) => expect(headers.authorization).toBe(`Basic ${Buffer.from('robot:p:ss').toString('base64')}`),
  },
  {
    destination: 'CLIENT_CREDENTIALS',
    reached: ({ headers }, world) =>
      expect(claimsOf(headers.authorization)).toMatchObject({ grant_type: 'client_credentials', cid: application(world) }),
  },
  {
    destination: 'PASSWORD',
    reached: ({ headers }) =>
      expect(claimsOf(headers.authorization)).toMatchObject({ grant_type: 'password', user_name: 'jane@acme.test' }),
  },
  {
    destination: 'JWT_BEARER',
    user: true,
    reached: ({ headers }, world) =>
      expect(claimsOf(headers.authorization)).toMatchObject({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        user_name: 'jane@acme.test',
        cid: application(world),
      }),
  },
  {
    destination: 'USER_TOKEN_EXCHANGE',
    user: true,
    reached: ({ headers }, world) => {
      expect(claimsOf(headers.authorization)).toMatchObject({ user_name: 'jane@acme.test', cid: application(world) })
      expect(headers.authorization).not.toBe(`Bearer ${world.user.token}`)
    },
  },
  {
    destination: 'REFRESH_TOKEN',
    refreshToken: true,
    reached: ({ headers }, world) =>
      expect(claimsOf(headers.authorization)).toMatchObject({ user_name: 'jane@acme.test', cid: application(world) }),
  },
  {
    destination: 'SAML_BEARER',
    user: true,
    reached: ({ headers }) => expect(headers.authorization).toBe('Bearer partner-token-of-jane@acme.test'),
  },
  { destination: 'SAML_SYSTEM_USER', reached: ({ headers }) => expect(headers.authorization).toBe('Bearer partner-token-of-BATCH') },
  {
    destination: 'SAML_ASSERTION',
    user: true,
    reached: ({ headers }) => {
      expect(headers.authorization).toMatch(/^SAML2\.0 [A-Za-z0-9+/=]+$/)
      expect(assertionOf(headers.authorization)).toMatch(/<(?:\w+:)?NameID[^>]*>jane@acme\.test</)
    },
  },
]

function application(world: AuthenticationWorld): string {
  return world.services.credentials.xsuaa['clientid'] ?? ''
}
