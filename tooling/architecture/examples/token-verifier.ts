import { createTestIssuer } from '@sallyport/test-fixtures'

const issuer = createTestIssuer({ issuer: 'https://tokens.example.org/oauth/token' })
export const jwks = { keys: issuer.keys }
export const text: string = issuer.user('jane@acme.test')
