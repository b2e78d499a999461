import { describe, expect, it } from 'vitest'
import { isSecretProperty } from './index.ts'

describe('what counts as secret', () => {
  it.each([
    'Password',
    'clientSecret',
    'clientKey',
    'tokenServicePassword',
    'KeyStorePassword',
    'tokenService.KeyStorePassword',
    'mail.password',
    'jco.client.passwd',
    'jco.client.tech_user_secret',
    'apiKey',
    'URL.headers.apiKey',
    'URL.headers.Authorization',
    'tokenServiceURL.queries.access_token',
    'tokenService.body.client_secret',
    'my.own.password',
  ])('%s does', (name) => {
    expect(isSecretProperty(name)).toBe(true)
  })

  it.each([
    'Name',
    'URL',
    'User',
    'clientId',
    'tokenServiceURL',
    'tokenServiceURL.headers.x-region',
    'KeyStoreLocation',
    'Authentication',
    'HTML5.ForwardAuthToken',
    'x_user_token.jwks',
    'constructor',
  ])('%s does not', (name) => {
    expect(isSecretProperty(name)).toBe(false)
  })
})
