import { randomBytes } from 'node:crypto'
import { createManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { defaultLimits } from './limits.ts'
import { createLogOnSessions } from './log-on-session.ts'
import { createMemoryGrantStore } from './memory-grant-store.ts'

it('finds a session in its own tenant and over its own scheme only, whatever users there are elsewhere', async () => {
  const clock = createManualClock()
  const grants = createMemoryGrantStore({ clock, bounds: defaultLimits })
  const sessions = createLogOnSessions({ grants, clock, random: randomBytes, limits: defaultLimits })
  const user = { id: 'u-1', tenantId: 'acme', name: 'jane', origin: 'sap.default', groups: [], attributes: {} }
  const { value } = await sessions.begin(user, true)
  const cookies = { '__Host-sallyport-session': value, 'sallyport-session': value }
  expect(await sessions.find(cookies, 'acme', true)).toMatchObject({ tenantId: 'acme', user: { id: 'u-1' } })
  expect(await sessions.find(cookies, 'buyer', true)).toBeUndefined()
  expect(await sessions.find(cookies, 'acme', false)).toBeUndefined()
})
