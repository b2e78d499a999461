import { once } from 'node:events'
import { createConnection } from 'node:net'
import { expect, it } from 'vitest'
import { shutdownGraceMs } from '../src/limits.ts'
import { startService } from '../conformance/running-service.ts'

it('closes although a peer stays in the middle of the TLS handshake', async () => {
  const { clock, https, service } = await startService()
  const socket = createConnection(https.port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(Buffer.from([0x16, 3, 1]))
  const closed = service.close()
  const dropped = new Promise((resolve) => socket.once('close', resolve))
  // Time passes in small steps, because the timer is set when the close has begun.
  await new Promise((resolve) => setImmediate(resolve))
  clock.advance(shutdownGraceMs)
  await dropped
  await closed
  expect(socket.destroyed).toBe(true)
})
