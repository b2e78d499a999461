import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createTunnelPair } from '../test-support/tunnel-pair.ts'
import { until } from '../test-support/turn.ts'
import { relay } from './relay.ts'
import { createSharedReading } from './shared-reading.ts'

const open: { destroy(): unknown }[] = []
const servers: Server[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** A backend, and the port it listens on. */
async function startBackend(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe('shared reading', () => {
  it('keeps what arrives before somebody takes it, reads no further until resumed, and ends', async () => {
    const port = await startBackend((socket) => {
      socket.write('early')
      socket.once('data', () => socket.end(' late'))
    })
    const reading = createSharedReading()
    const socket = connect({ port, host: '127.0.0.1', onread: reading.onread })
    open.push(socket)
    await until(() => socket.bytesRead > 0)
    let text = ''
    reading.take((chunk) => void (text += chunk.toString()))
    expect(text).toBe('early')
    socket.resume()
    socket.write('go on')
    await once(socket, 'end')
    expect(text).toBe('early late')
  })

  it('loses and mixes nothing when many sockets are relayed to somebody who reads slowly', async () => {
    const bytes = 3_000_000
    const port = await startBackend((socket) => {
      socket.once('data', (name) => socket.end(Buffer.alloc(bytes, name)))
    })
    const { near, far } = await createTunnelPair()
    far.onStream = (incoming) => {
      const reading = createSharedReading()
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, onread: reading.onread })
      open.push(socket)
      relay(socket, (handlers) => incoming.accept(handlers), { reading })
    }
    const names = ['a', 'b', 'c', 'd']
    const results = await Promise.all(
      names.map(
        (name) =>
          new Promise<number>((resolve) => {
            let received = 0
            let pauses = 0
            const stream = near.openStream(Buffer.from(name), {
              onData(chunk) {
                expect(chunk.equals(Buffer.alloc(chunk.length, name))).toBe(true)
                received += chunk.length
                // Every fourth chunk the reader needs a pause, so that the window closes and what was read has to wait.
                if (++pauses % 4 !== 0) return true
                setImmediate(() => stream.resume())
                return false
              },
              onEnd: () => resolve(received),
              onDrain() {},
              onClose() {},
            })
            stream.write(Buffer.from(name))
          }),
      ),
    )
    expect(results).toEqual(names.map(() => bytes))
  })
})
