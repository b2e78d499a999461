import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ConnectivityError, type StreamCloseReason } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { createTunnelPair } from '../test-support/tunnel-pair.ts'
import { until } from '../test-support/turn.ts'
import { toDuplex } from './to-duplex.ts'

async function duplexPair(): Promise<{ readonly a: Duplex; readonly b: Duplex; readonly cut: () => void }> {
  const { near, far } = await createTunnelPair()
  const arrived = new Promise<Duplex>((resolve) => {
    far.onStream = (incoming) => resolve(toDuplex((handlers) => incoming.accept(handlers)))
  })
  const a = toDuplex((handlers) => near.openStream(Buffer.alloc(0), handlers))
  const b = await arrived
  // What the far end fails with is not the point of any test.
  b.on('error', () => {})
  return { a, b, cut: () => near.abort(new Error('cut')) }
}

describe('a stream as a Duplex', () => {
  it('carries bytes both ways with back pressure and half-close', async () => {
    const { a, b } = await duplexPair()
    const sent = randomBytes(5_000_000)
    const echoed = pipeline(b, b)
    const chunks: Buffer[] = []
    a.on('data', (chunk: Buffer) => chunks.push(chunk))
    a.end(sent)
    await once(a, 'end')
    expect(Buffer.concat(chunks).equals(sent)).toBe(true)
    await echoed
  })

  it('sends what it was given last although the other end has ended and others are sending', async () => {
    const { near, far } = await createTunnelPair()
    const arrived: Duplex[] = []
    far.onStream = (incoming) => void arrived.push(toDuplex((handlers) => incoming.accept(handlers)))
    const [a, busy] = [0, 1].map(() => toDuplex((handlers) => near.openStream(Buffer.alloc(0), handlers))) as [Duplex, Duplex]
    await until(() => arrived.length === 2)
    const [b, reader] = arrived as [Duplex, Duplex]
    b.end('last words')
    await once(a.resume(), 'end')
    busy.write(randomBytes(1_000_000))
    a.end('said after that')
    reader.resume()
    const chunks: Buffer[] = []
    b.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(b, 'end')
    expect(Buffer.concat(chunks).toString()).toBe('said after that')
  })

  it('works with iteration, which reads in its own time', async () => {
    const { a, b } = await duplexPair()
    b.end(randomBytes(2_000_000))
    let received = 0
    for await (const chunk of a) {
      received += (chunk as Buffer).length
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(received).toBe(2_000_000)
  })

  it('fails with TUNNEL_LOST when the other end is destroyed', async () => {
    const { a, b } = await duplexPair()
    const failed = once(a, 'error') as Promise<[Error]>
    b.destroy()
    const [error] = await failed
    expect(ConnectivityError.is(error, 'TUNNEL_LOST') && error.details['reset']).toBe('cancelled')
  })

  it('fails with TUNNEL_LOST when the connection is gone, also in the middle of a write', async () => {
    const { a, cut } = await duplexPair()
    const failed = once(a, 'error') as Promise<[Error]>
    a.write(randomBytes(2_000_000))
    cut()
    expect(ConnectivityError.is((await failed)[0], 'TUNNEL_LOST')).toBe(true)
    expect(a.destroyed).toBe(true)
  })

  it('resets the stream when it is destroyed', async () => {
    const { near, far } = await createTunnelPair()
    const reasons: StreamCloseReason[] = []
    far.onStream = (incoming) =>
      void incoming.accept({ onData: () => true, onEnd() {}, onDrain() {}, onClose: (reason) => reasons.push(reason) })
    const duplex = toDuplex((handlers) => near.openStream(Buffer.alloc(0), handlers))
    duplex.destroy()
    await until(() => reasons.length === 1)
    expect(reasons).toEqual([{ kind: 'reset', by: 'peer', code: 'cancelled' }])
  })
})
