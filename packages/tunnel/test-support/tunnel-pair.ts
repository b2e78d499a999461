import { type Clock, systemClock, type TunnelConnection } from '@sallyport/core'
import { createMemoryTransport } from '../src/transports/memory.ts'

/** Two ends of a connection in memory that moves by itself. */
export async function createTunnelPair(
  clock: Clock = systemClock,
): Promise<{ readonly near: TunnelConnection; readonly far: TunnelConnection }> {
  const transport = createMemoryTransport({ clock })
  let far: TunnelConnection | undefined
  const endpoint = new URL('memory://pair')
  await transport.listen(endpoint, {
    onConnection(connection) {
      far = connection
    },
  })
  const near = await transport.connect(endpoint, { signal: new AbortController().signal })
  if (far === undefined) throw new Error('no far end')
  return { near, far }
}
