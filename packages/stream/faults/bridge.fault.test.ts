import { once } from 'node:events'
import { lstatSync, readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Duplex, PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { ConnectivityError } from '@sallyport/core'
import { createMemoryPair, createSocketNetwork, type FarEnd } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { type Bridge, type BridgeOptions, openBridge, openLoopbackBridge } from '../src/index.ts'

const options = (open: () => Promise<Duplex>, signal = AbortSignal.timeout(8000)): BridgeOptions => ({
  open,
  signal,
  attempt: 'lead the test',
})

/** Both forms, and how a library gets in. */
const forms = [
  {
    form: 'a private socket',
    async start(given: BridgeOptions): Promise<Started> {
      const bridge = await openBridge(given)
      return { bridge, enter: (allowHalfOpen = false) => connect({ path: bridge.path, allowHalfOpen }) }
    },
  },
  {
    form: 'a loopback port',
    async start(given: BridgeOptions): Promise<Started> {
      const bridge = await openLoopbackBridge(given)
      expect(bridge.address.host).toBe('127.0.0.1')
      return { bridge, enter: (allowHalfOpen = false) => connect({ ...bridge.address, allowHalfOpen }) }
    },
  },
]

interface Started {
  readonly bridge: Bridge
  readonly enter: (allowHalfOpen?: boolean) => Socket
}

describe.each(forms)('a bridge over $form', ({ start }) => {
  it('carries bytes both ways and keeps half-close', async () => {
    const [near, far] = createMemoryPair()
    const { bridge, enter } = await start(options(async () => near))
    const socket = enter(true)
    await bridge.taken
    socket.end('question')
    expect(await text(far)).toBe('question')
    far.end('answer after the end')
    expect(await text(socket)).toBe('answer after the end')
    expect(bridge.failure).toBeUndefined()
  })

  it('ends the library where the far side has broken before the two are joined', async () => {
    const [near, far] = createMemoryPair()
    far.on('error', () => {})
    const { bridge, enter } = await start(
      options(async () => {
        near.destroy(new Error('reset'))
        await once(near, 'close').catch(() => {})
        return near
      }),
    )
    const socket = enter()
    socket.on('error', () => {})
    await once(socket, 'close')
    expect(bridge.failure?.cause).toMatchObject({ message: 'reset' })
  })

  it('closes the far side where the library has left before the two are joined', async () => {
    const [near, far] = createMemoryPair()
    far.on('error', () => {})
    const opening = Promise.withResolvers<Duplex>()
    const { bridge, enter } = await start(options(() => opening.promise))
    const socket = enter()
    await bridge.taken
    await bridge[Symbol.asyncDispose]()
    if (!socket.closed) await once(socket, 'close')
    opening.resolve(near)
    await once(near, 'close')
    expect(near.destroyed).toBe(true)
  })

  it('PR-012 refuses a second, uninvited connection', async () => {
    const [near, far] = createMemoryPair()
    const { bridge, enter } = await start(options(async () => near))
    const first = enter(true)
    await bridge.taken
    const [error] = (await once(enter(), 'error')) as [unknown]
    expect(error).toMatchObject({ code: expect.stringMatching(/ENOENT|ECONNREFUSED/) })
    first.end('only mine')
    expect(await text(far)).toBe('only mine')
    near.destroy()
  })

  it('PR-012 lets in one of many that come at once', async () => {
    const [near, far] = createMemoryPair()
    let opened = 0
    const { bridge, enter } = await start(
      options(async () => {
        opened += 1
        return near
      }),
    )
    const sockets = Array.from({ length: 20 }, (_, index) => {
      const socket = enter()
      const outcome = new Promise<boolean>((resolve) => {
        socket.on('error', () => resolve(false))
        socket.on('close', () => resolve(false))
        socket.once('data', () => resolve(true))
      })
      socket.write(`${index}\n`)
      return { socket, outcome }
    })
    await bridge.taken
    const received = once(far, 'data').then(([chunk]: unknown[]) => Number(String(chunk)))
    far.write('welcome')
    const outcomes = await Promise.all(sockets.map(({ outcome }) => outcome))
    expect(outcomes.filter(Boolean)).toHaveLength(1)
    expect(outcomes[await received]).toBe(true)
    expect(opened).toBe(1)
    for (const { socket } of sockets) socket.destroy()
  })

  it('PR-013 keeps why the far side failed, which the library sees as an end', async () => {
    await using network = createSocketNetwork()
    const ends: FarEnd[] = []
    const address = await network.serve((end) => void ends.push(end))
    const stream = connect({ ...address, allowHalfOpen: true })
    await once(stream, 'connect')
    const { bridge, enter } = await start(options(async () => stream))
    const socket = enter()
    socket.on('error', () => {})
    await bridge.taken
    const closed = once(socket.resume(), 'close')
    ends[0]?.reset()
    await closed
    expect(bridge.failure).toMatchObject({ code: 'BACKEND_UNREACHABLE', cause: { code: 'ECONNRESET' } })
  })

  it('PR-013 keeps why a dial failed that begins when the library has come', async () => {
    const denied = new ConnectivityError('ACCESS_DENIED', 'denied by the test')
    const { bridge, enter } = await start(options(() => Promise.reject(denied)))
    const socket = enter()
    await once(socket.resume(), 'close')
    expect(bridge.failure).toBe(denied)
  })

  it('ends the far side with the library, and the library with the bridge', async () => {
    const [near, far] = createMemoryPair()
    const { bridge, enter } = await start(options(async () => near))
    const socket = enter()
    socket.on('error', () => {})
    await bridge.taken
    // A memory stream says that its other end has gone.
    far.on('error', () => {})
    const closed = new Promise<unknown>((resolve) => far.resume().once('close', resolve))
    const gone = once(socket, 'close')
    await bridge[Symbol.asyncDispose]()
    await Promise.all([closed, gone])
    await bridge[Symbol.asyncDispose]()
    expect([near.destroyed, socket.destroyed]).toEqual([true, true])
  })

  it.each([
    ['an abort', AbortSignal.abort(), 'ABORTED'],
    ['a deadline', AbortSignal.timeout(50), 'DEADLINE_EXCEEDED'],
  ])('closes by itself on %s', async (_what, signal, code) => {
    const outcome = (async () => (await start(options(async () => new PassThrough(), signal))).bridge.taken)()
    await expect(outcome).rejects.toMatchObject({ code })
  })
})

describe('the private socket', () => {
  it('PR-011 lives in a folder of mode 0700 and disappears with the first connection', async () => {
    const [near] = createMemoryPair()
    const bridge = await openBridge(options(async () => near))
    expect(lstatSync(dirname(bridge.path)).mode & 0o777).toBe(0o700)
    expect(Buffer.byteLength(bridge.path)).toBeLessThanOrEqual(103)
    const socket = connect(bridge.path)
    await bridge.taken
    expect(readdirSync(tmpdir()).map((name) => join(tmpdir(), name))).not.toContain(dirname(bridge.path))
    socket.destroy()
    near.destroy()
  })

  it('PR-011 disappears when nobody comes, and when it is disposed before', async () => {
    const forgotten = await openBridge(options(async () => new PassThrough(), AbortSignal.timeout(50)))
    await expect(forgotten.taken).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    expect(() => lstatSync(dirname(forgotten.path))).toThrow(/ENOENT/)
    const disposed = await openBridge(options(async () => new PassThrough()))
    await disposed[Symbol.asyncDispose]()
    expect(() => lstatSync(dirname(disposed.path))).toThrow(/ENOENT/)
  })
})

describe('a bridge over one of several ports', () => {
  it('opens the first that nobody has, and says when there is none', async () => {
    const [near] = createMemoryPair()
    await using first = await openLoopbackBridge(options(async () => near))
    const { port: taken } = first.address
    await using second = await openLoopbackBridge(
      options(async () => near),
      [taken, 0],
    )
    expect(second.address.port).not.toBe(taken)
    await expect(
      openLoopbackBridge(
        options(async () => near),
        [taken, taken],
      ),
    ).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
  })
})
