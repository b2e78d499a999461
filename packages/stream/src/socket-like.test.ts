import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { ConnectivityError } from '@sallyport/core'
import { createManualClock, createMemoryPair } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createSocketLike } from './socket-like.ts'

const address = { host: 'Mail.virtual', port: 143 }

describe('a stream with the members of a socket', () => {
  it('PR-010 has all that libraries look for, before and after it is connected', async () => {
    const [near, far] = createMemoryPair()
    const { promise: gate, resolve: go } = Promise.withResolvers<void>()
    const socket = createSocketLike({ open: () => gate.then(() => near), address, clock: createManualClock() })
    const own = { encrypted: false, remoteAddress: 'Mail.virtual', remotePort: 143, localAddress: 'Mail.virtual', localPort: 143 }
    expect(socket).toMatchObject({ ...own, connecting: true, readyState: 'opening' })
    for (const same of [
      socket.setTimeout(0),
      socket.setKeepAlive(true, 5000),
      socket.setNoDelay(true),
      socket.ref(),
      socket.unref(),
      socket.connect(143),
    ])
      expect(same).toBe(socket)
    // Waits until it can be sent.
    socket.end('said too early')
    const connected = once(socket, 'connect')
    go()
    await connected
    expect(socket).toMatchObject({ ...own, connecting: false, readyState: 'open' })
    expect(await text(far)).toBe('said too early')
    far.end('answered after the end')
    expect(await text(socket)).toBe('answered after the end')
    socket.destroy()
    expect(socket).toMatchObject({ connecting: false, readyState: 'closed' })
  })

  it('PR-010 tells of silence in both directions once it has lasted long enough, and stays open', async () => {
    const [near, far] = createMemoryPair()
    const clock = createManualClock()
    const socket = createSocketLike({ open: async () => near, address, clock })
    let timeouts = 0
    socket.setTimeout(1000, () => (timeouts += 1))
    await once(socket, 'connect')
    clock.advance(900)
    socket.write('a')
    far.resume()
    await new Promise(setImmediate)
    clock.advance(900)
    expect(timeouts).toBe(0)
    clock.advance(100)
    expect([timeouts, socket.destroyed]).toEqual([1, false])
    socket.setTimeout(0)
    clock.advance(100_000)
    expect(timeouts).toBe(1)
    socket.destroy()
  })

  it('PR-002 keeps what came before the far side closed for a reader who comes late', async () => {
    const [near, far] = createMemoryPair()
    const socket = createSocketLike({ open: async () => near, address, clock: createManualClock() })
    await once(socket, 'connect')
    socket.end()
    far.resume().end('the last words')
    // Somebody looks whether there is anything, and does not read it yet.
    socket.once('readable', () => {})
    if (!near.closed) await once(near, 'close')
    await new Promise(setImmediate)
    expect(socket.destroyed).toBe(false)
    expect(await text(socket)).toBe('the last words')
  })

  it('passes on why it could not be connected, and gives up without a word when its owner does', async () => {
    const denied = new ConnectivityError('ACCESS_DENIED', 'denied by the test')
    const refused = createSocketLike({ open: () => Promise.reject(denied), address, clock: createManualClock() })
    expect(await once(refused, 'error')).toEqual([denied])
    let aborted = false
    const given = createSocketLike({
      open: (signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => ((aborted = true), reject(denied)))),
      address,
      clock: createManualClock(),
    })
    await new Promise(setImmediate)
    const closed = new Promise<string>((resolve) => given.once('error', () => resolve('error')).once('close', () => resolve('close')))
    given.destroy()
    expect([await closed, aborted]).toEqual(['close', true])
  })
})
