import { serviceChannelSchema } from '@sallyport/admin-api'
import { expect, it } from 'vitest'
import { lanesFor } from './channel-lanes.ts'

const channel = (connections: number, enabled = true) =>
  serviceChannelSchema.parse({ type: 'HANA', hanaInstanceName: 'h', instanceNumber: 1, connections, enabled })

it('a tunnel has its two physical connections, those that channels ask for beyond one, and sixteen at most', () => {
  expect(lanesFor([])).toBe(2)
  expect(lanesFor([channel(1), channel(1)])).toBe(2)
  expect(lanesFor([channel(3), channel(2), channel(8, false)])).toBe(5)
  expect(lanesFor([channel(8), channel(8), channel(8)])).toBe(16)
})
