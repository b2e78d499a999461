import { expect, it } from 'vitest'
import type { TunnelClient, TunnelState } from '@sallyport/tunnel'
import { createSwitchedTunnel } from './switched-tunnel.ts'

const refused: TunnelState = { kind: 'failed', reason: 'attempts-exhausted', code: 'TUNNEL_LOST', message: 'refused', retryAtMs: undefined }

/** A client that ends as it is told. */
const client = (close: () => Promise<void>, state: TunnelState = { kind: 'closed' }) => ({ state, close }) as unknown as TunnelClient

it('tells of a close that failed once, and closes the next client as if nothing had been', async () => {
  const clients = [client(() => Promise.reject(new Error('cannot close'))), client(() => Promise.resolve())]
  const tunnel = createSwitchedTunnel({ on: true, create: () => clients.shift() as TunnelClient })
  await expect(tunnel.disconnect({ graceMs: 0 })).rejects.toThrow('cannot close')
  tunnel.connect()
  await tunnel.disconnect({ graceMs: 0 })
  await tunnel.close({ graceMs: 0 })
})

it('connects anew although the client that has failed cannot be closed', async () => {
  const clients = [client(() => Promise.reject(new Error('cannot close')), refused), client(() => Promise.resolve())]
  const tunnel = createSwitchedTunnel({ on: true, create: () => clients.shift() as TunnelClient })
  tunnel.connect()
  expect([tunnel.on, tunnel.state.kind]).toEqual([true, 'closed'])
  // A rejection that nobody hears fails the run.
  await tunnel.close({ graceMs: 0 })
})
