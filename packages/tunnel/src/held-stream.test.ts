import type { StreamCloseReason, TunnelConnection } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { createTunnelPair } from '../test-support/tunnel-pair.ts'
import { nextTurn, until } from '../test-support/turn.ts'
import { type HeldStream, holdStream } from './held-stream.ts'

const quiet = { onData: () => true, onEnd() {}, onDrain() {}, onClose() {} }

function recorder(): { readonly events: string[]; readonly handlers: Parameters<HeldStream['take']>[0] } {
  const events: string[] = []
  return {
    events,
    handlers: {
      onData(chunk) {
        events.push(`data:${chunk}`)
        return true
      },
      onMessage: (message) => events.push(`message:${message}`),
      onEnd: () => events.push('end'),
      onDrain: () => events.push('drain'),
      onClose: (reason) => events.push(reason.kind),
    },
  }
}

async function heldIncoming(connection: TunnelConnection): Promise<HeldStream> {
  let held: HeldStream | undefined
  connection.onStream = (incoming) => {
    held = holdStream((handlers) => incoming.accept(handlers))
  }
  await until(() => held !== undefined)
  if (held === undefined) throw new Error('no stream')
  return held
}

describe('a held stream', () => {
  it('hands over what came early, in order, and then what comes', async () => {
    const { near, far } = await createTunnelPair()
    const stream = near.openStream(Buffer.alloc(0), quiet)
    stream.write(Buffer.from('one'))
    stream.sendMessage(Buffer.from('two'))
    const held = await heldIncoming(far)
    await nextTurn()
    const { events, handlers } = recorder()
    expect(held.take(handlers)).toBe(held.stream)
    expect(events).toEqual([])
    await nextTurn()
    expect(events).toEqual(['data:one', 'message:two'])
    stream.write(Buffer.from('three'))
    stream.end()
    held.stream.end()
    await until(() => events.includes('finished'))
    expect(events).toEqual(['data:one', 'message:two', 'data:three', 'end', 'finished'])
  })

  it('gives no credit back while it holds, so that it holds at most the first window', async () => {
    const { near, far } = await createTunnelPair()
    const stream = near.openStream(Buffer.alloc(0), quiet)
    let isFull = false
    for (let i = 0; i < 20; i++) isFull = !stream.write(Buffer.alloc(65_536)) || isFull
    const held = await heldIncoming(far)
    for (let i = 0; i < 20; i++) await nextTurn()
    expect(isFull).toBe(true)
    expect(held.stream.bytesReceived).toBe(262_144)
    let received = 0
    held.take({
      ...quiet,
      onData(chunk) {
        received += chunk.length
        return true
      },
    })
    await until(() => received === 20 * 65_536)
  })

  it('lets the first message decide who takes it, before the bytes behind that message', async () => {
    const { near, far } = await createTunnelPair()
    far.onStream = (incoming) => {
      const stream = incoming.accept(quiet)
      stream.sendMessage(Buffer.from('connected'))
      stream.write(Buffer.from('the backend speaks first'))
    }
    const { events, handlers } = recorder()
    const messages: string[] = []
    holdStream((own) => near.openStream(Buffer.alloc(0), own), {
      onMessage(message, held) {
        messages.push(message.toString())
        held.take(handlers)
      },
    })
    await until(() => events.length > 0)
    expect(messages).toEqual(['connected'])
    expect(events).toEqual(['data:the backend speaks first'])
  })

  it('tells its holder when it is over before it was taken, and also who takes it then', async () => {
    const { near, far } = await createTunnelPair()
    far.onStream = (incoming) => incoming.refuse()
    const reasons: StreamCloseReason[] = []
    const held = holdStream((own) => near.openStream(Buffer.alloc(0), own), { onClose: (reason) => reasons.push(reason) })
    await until(() => reasons.length === 1)
    expect(reasons).toEqual([{ kind: 'reset', by: 'peer', code: 'refused' }])
    const { events, handlers } = recorder()
    held.take(handlers)
    await nextTurn()
    expect(events).toEqual(['reset'])
    expect(() => held.take(handlers)).toThrow(/taken already/)
  })
})
