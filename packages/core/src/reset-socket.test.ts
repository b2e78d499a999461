import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { resetSocket } from './reset-socket.ts'

const open: { destroy(): unknown }[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const arrived = once(server, 'connection') as Promise<[Socket]>
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [[far]] = await Promise.all([arrived, once(near, 'connect')])
  server.close()
  open.push(near, far)
  return [near, far]
}

/** The codes of the errors that come before the close. */
async function closeOf(socket: Socket): Promise<readonly string[]> {
  const errors: string[] = []
  socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''))
  await new Promise((resolve) => socket.once('close', resolve))
  return errors
}

describe('a reset of a socket', () => {
  it.each<readonly [string, (socket: Socket) => unknown]>([
    ['is open', () => {}],
    ['has more to say than the other side reads', (socket) => socket.end(Buffer.alloc(32 * 1024 * 1024))],
  ])('tells the other side of one that %s', async (_what, prepare) => {
    const [near, far] = await socketPair()
    await prepare(near)
    const [nearClosed, farClosed] = [closeOf(near), closeOf(far)]
    resetSocket(near)
    far.resume()
    expect(await nearClosed).toEqual([])
    expect(await farClosed).toEqual(['ECONNRESET'])
  })

  it.each<readonly [string, (socket: Socket) => unknown]>([
    ['has just been ended', (socket) => socket.end()],
    ['has just been ended with its last words', (socket) => socket.end('last words')],
    ['has been ended', (socket) => once(socket.end('last words'), 'finish')],
  ])('closes one that %s', async (_what, prepare) => {
    const [near] = await socketPair()
    await prepare(near)
    const closed = closeOf(near)
    resetSocket(near)
    expect(await closed).toEqual([])
  })

  it('closes one that is not connected yet', async () => {
    const socket = connect({ port: 9, host: '127.0.0.1' })
    const closed = closeOf(socket)
    socket.end('last words')
    resetSocket(socket)
    expect(await closed).toEqual([])
  })

  it('works twice, and on one that is closed', async () => {
    const [near, far] = await socketPair()
    far.on('error', () => {})
    const closed = closeOf(near)
    near.end()
    resetSocket(near)
    resetSocket(near)
    expect(await closed).toEqual([])
    resetSocket(near)
  })

  it('closes one with TLS without its close notification', async () => {
    const [near] = await socketPair()
    const secured = new TLSSocket(near)
    const closed = closeOf(secured)
    resetSocket(secured)
    expect(await closed).toEqual([])
  })
})
