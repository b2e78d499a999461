import { describe, expect, it } from 'vitest'
import { reviewDestination } from '../index.ts'

const http = { Name: 'a', Type: 'HTTP', URL: 'https://a.example' }

describe('reviewing a destination', () => {
  it.each([
    [http],
    [{ ...http, URL: 'http://erp.virtual:44300', ProxyType: 'OnPremise', Password: 'p' }],
    [{ ...http, Authentication: 'OAuth2ClientCredentials', tokenServiceURL: 'https://{tenant}.example/oauth' }],
    [{ Name: 'a', Type: 'TCP', Address: 'tcp://echo.virtual:7' }],
    [{ Name: 'a', Type: 'TCP', Address: '[::1]:7' }],
    [{ Name: 'a', Type: 'RFC' }],
  ])('has nothing to say of %o', (properties) => {
    expect(reviewDestination(properties)).toEqual([])
  })

  it.each([
    [{ ...http, URL: 'notaurl' }, 'error', 'URL', '"notaurl" is not an absolute http or https URL'],
    [{ ...http, URL: 'ftp://u:hunter2@x' }, 'error', 'URL', '"ftp://…@x" is not an absolute http or https URL'],
    [{ Name: 'a', Type: 'HTTP' }, 'error', 'URL', 'the URL of the target is missing'],
    [{ ...http, tokenServiceURL: 'auth' }, 'error', 'tokenServiceURL', /not an absolute/],
    [{ ...http, Authentication: 'OAuth2JWTBearer' }, 'error', 'tokenServiceURL', /needs the address of a token service/],
    [{ ...http, Authentication: 'BasicAuthentification' }, 'error', 'Authentication', /did you mean BasicAuthentication\?/],
    [{ ...http, Authentication: 'Kerberos' }, 'error', 'Authentication', /there are NoAuthentication, /],
    [{ ...http, ProxyType: 'onpremise' }, 'error', 'ProxyType', 'must be one of Internet, OnPremise, PrivateLink'],
    [{ Name: 'a', Type: 'TCP', Address: 'x' }, 'error', 'Address', '"x" is not host:port'],
    [{ ...http, URL: 'http://a.example', Password: 'p' }, 'warning', 'URL', /unprotected/],
    [{ ...http, TrustAll: 'TRUE' }, 'warning', 'TrustAll', /tests only/],
    [{ ...http, SystemUser: 'x' }, 'warning', 'SystemUser', /deprecated/],
    [{ ...http, Authentication: 'SAPAssertionSSO' }, 'warning', 'Authentication', /deprecated/],
    [{ ...http, Authentication: 'OAuth2Password', tokenServiceURL: 'https://t' }, 'warning', 'Authentication', /technical user/],
  ])('remarks on %o', (properties, severity, property, message) => {
    expect(reviewDestination(properties)).toEqual([{ severity, property, message: expect.stringMatching(message) as string }])
  })
})
