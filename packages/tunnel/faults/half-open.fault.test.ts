import { connect, type Socket } from 'node:net'
import { systemClock, type TunnelConnection } from '@sallyport/core'
import { createTestCa } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { until } from '../test-support/turn.ts'
import { createTlsTransport } from '../src/transports/tls.ts'

const ca = createTestCa()
const server = { ...ca.issue({ subject: '/CN=server' }), ca: ca.certificate }
const client = { ...ca.issue({ subject: '/CN=client', names: [] }), ca: ca.certificate }
const max = 128

it('goes on serving through ten thousand half-open connections, and holds only so many', async () => {
  const arrived: TunnelConnection[] = []
  const sockets: Socket[] = []
  const transport = createTlsTransport({ clock: systemClock, client, server, limits: { maxHalfOpen: max } })
  const listener = await transport.listen(new URL('tls://127.0.0.1:0'), { onConnection: (connection) => arrived.push(connection) })
  const { endpoint } = listener
  const signal = AbortSignal.timeout(25_000)
  const before = await transport.connect(endpoint, { signal })
  const heap = process.memoryUsage()
  let openSockets = 0
  for (let batch = 0; batch < 100; batch++) {
    const opened = Array.from({ length: 100 }, async () => {
      const socket = connect(Number(endpoint.port), '127.0.0.1')
      sockets.push(socket)
      openSockets++
      socket.on('error', () => socket.destroy())
      socket.once('close', () => openSockets--)
      socket.resume()
      await new Promise((resolve) => {
        socket.once('connect', resolve)
        socket.once('close', resolve)
      })
    })
    await Promise.all(opened)
    // Without the limit this would wait for ever.
    await until(() => openSockets <= max)
  }
  const grown = process.memoryUsage().external + process.memoryUsage().arrayBuffers - heap.external - heap.arrayBuffers
  expect(grown).toBeLessThan(64 * 1024 * 1024)
  const during = await transport.connect(endpoint, { signal })
  expect(arrived).toHaveLength(2)
  for (const [index, near] of [before, during].entries()) {
    const far = arrived[index]
    if (far === undefined) throw new Error('no far end')
    let isTaken = false
    far.onStream = (incoming) => {
      isTaken = true
      incoming.refuse()
    }
    near.openStream(Buffer.from('x'), { onData: () => true, onEnd() {}, onDrain() {}, onClose() {} })
    await until(() => isTaken)
  }
  for (const connection of [before, during]) connection.abort(new Error('done'))
  for (const socket of sockets) socket.destroy()
  await listener.close()
}, 30_000)
