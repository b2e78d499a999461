import { expect, it } from 'vitest'
import { administeredDocumentSchema } from '../document/administered-document.ts'
import { renewalPolicyOf } from './renewal-policy.ts'

const day = 86_400_000
const policy = (regionHost: string, autoCertRenewal: boolean) =>
  renewalPolicyOf(
    administeredDocumentSchema.parse({ subaccounts: [{ regionHost, subaccount: 'demo', autoCertRenewal }] }),
    { subaccount: 'demo', locationId: '' },
    30,
  )

it('CC-037 renews by itself where an administrator wants it, and in no region of Neo', () => {
  expect(policy('cf.eu10.hana.ondemand.com', true)).toEqual({ automatic: true, leadMs: 37 * day, giveUpAfterMs: 7 * day })
  expect(policy('cf.eu10.hana.ondemand.com', false).automatic).toBe(false)
  for (const neo of ['hana.ondemand.com', 'eu2.hana.ondemand.com', 'US1.hana.ondemand.com', 'hanatrial.ondemand.com'])
    expect([neo, policy(neo, true).automatic]).toEqual([neo, false])
})
