import { silentLogger } from '@sallyport/core'
import { createManualClock, createTestIssuer } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { createMaterialMemory } from '../identity/material-store.ts'
import { trustIntervalMs } from '../limits.ts'
import { createTrustSynchronisation } from './trust-synchronisation.ts'

const issuer = createTestIssuer()
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('asks for the list when it becomes automatic and once in each interval, until it is no longer', async () => {
  const clock = createManualClock()
  let asked = 0
  const synchronisation = createTrustSynchronisation({
    holder: { subaccount: 'demo', locationId: '' },
    entries: [],
    getTrust: () => {
      asked++
      return Promise.resolve([{ issuer: `${issuer.issuer}/${asked}`, name: 'Test', type: 'OAUTH2' as const, keys: issuer.keys }])
    },
    material: createMaterialMemory(),
    audit: { failing: false, write: () => {}, flushed: () => Promise.resolve() },
    clock,
    log: silentLogger,
  })
  synchronisation.configure({ automatic: false, untrustedIssuers: [] })
  clock.advance(trustIntervalMs)
  await settle()
  expect(asked).toBe(0)
  synchronisation.configure({ automatic: true, untrustedIssuers: [] })
  await settle()
  expect(asked).toBe(1)
  for (const count of [2, 3]) {
    clock.advance(trustIntervalMs)
    await settle()
    expect(synchronisation.trust.entries.map((entry) => entry.issuer)).toEqual([`${issuer.issuer}/${count}`])
  }
  synchronisation.configure({ automatic: false, untrustedIssuers: [] })
  clock.advance(2 * trustIntervalMs)
  await settle()
  expect(asked).toBe(3)
})
