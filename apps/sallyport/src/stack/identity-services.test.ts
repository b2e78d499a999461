import { silentLogger, systemClock } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { parseConfiguration } from '../configuration/read-configuration.ts'
import { openIdentityTrust } from './identity-services.ts'
import type { ServiceInstance } from './instances.ts'

const instance: ServiceInstance = {
  service: 'destination',
  name: 'sallyport-destination',
  instanceId: 'i-1',
  clientId: 'c',
  clientSecret: 's',
  xsappname: 'x',
}
const issuer = 'https://acme.accounts.example'

function open(text: string): ReturnType<typeof openIdentityTrust> {
  const result = parseConfiguration(text, '/x')
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  const { configuration } = result
  return openIdentityTrust({ configuration, instance, fetchKeys: () => Promise.resolve([]), clock: systemClock, log: silentLogger })
}

describe('applications of identity services', () => {
  it('are admitted nowhere when no identity service is configured', () => {
    expect(open('subaccounts: [{ id: a }]\n')).toBeUndefined()
  })

  it.each([
    [
      'consumes the instance',
      { issuer, clientId: 'orders', tenantId: 'b' },
      { instance: { instanceId: 'i-1', subaccountId: 'a' }, subaccountId: 'b' },
    ],
    ['consumes something else', { issuer, clientId: 'other', tenantId: 'b' }, undefined],
    ['is unknown', { issuer, clientId: 'nobody', tenantId: 'b' }, undefined],
    ['comes from a subaccount that does not trust the issuer', { issuer, clientId: 'orders', tenantId: 'a' }, undefined],
    ['comes from a tenant that is none', { issuer, clientId: 'orders', tenantId: 'c' }, undefined],
    ['comes from another issuer', { issuer: 'https://else.example', clientId: 'orders', tenantId: 'b' }, undefined],
  ])('one that %s', async (_what, client, relation) => {
    using trust = open(`subaccounts: [{ id: a }, { id: b }]
identityServices:
  - issuer: ${issuer}
    keysUrl: ${issuer}/oauth2/certs
    subaccounts: [b, c]
    applications: [{ clientId: orders, consumedServices: [sallyport-destination] }, { clientId: other, consumedServices: [other] }]
`)
    expect(trust?.issuers).toEqual(new Set([issuer]))
    expect(await trust?.relations.find(client)).toEqual(relation)
  })
})
