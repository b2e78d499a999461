import { once } from 'node:events'
import { ConnectivityError, type IncomingTunnelStream, systemClock, type TunnelConnection, type TunnelStream } from '@sallyport/core'
import { createMemoryTransport } from '@sallyport/tunnel/memory'
import { describe, expect, it } from 'vitest'
import { createTunnelDial } from '../src/tunnel-dial.ts'

const opening = { signal: new AbortController().signal, locationId: 'orlando' }
const target = { host: 'ERP.Virtual', port: 3300 }
const ignore = { onData: () => true, onEnd: () => {}, onDrain: () => {}, onClose: () => {} }

async function openTunnel(onStream: (incoming: IncomingTunnelStream) => void): Promise<{ near: TunnelConnection; far: TunnelConnection }> {
  const transport = createMemoryTransport({ clock: systemClock })
  const endpoint = new URL('memory://connector')
  const { promise, resolve } = Promise.withResolvers<TunnelConnection>()
  await transport.listen(endpoint, {
    onConnection(connection) {
      connection.onStream = onStream
      resolve(connection)
    },
  })
  const near = await transport.connect(endpoint, { signal: AbortSignal.timeout(5000) })
  return { near, far: await promise }
}

describe('a dial over the tunnel', () => {
  it('tells the connector who, where to and for how long, once and before any byte', async () => {
    const seen: unknown[] = []
    const { near } = await openTunnel((incoming) => {
      seen.push(JSON.parse(incoming.opening.toString('utf8')))
      incoming.accept(ignore).sendMessage(Buffer.from('{"kind":"connected"}'))
    })
    const dial = createTunnelDial({ connection: () => near, subaccount: 'demo', correlationId: () => 'c-1', timeoutMs: 5000 })
    const stream = await dial(target, opening)
    stream.destroy()
    expect(seen).toEqual([
      {
        kind: 'tcp',
        subaccount: 'demo',
        locationId: 'orlando',
        virtualHost: 'erp.virtual',
        virtualPort: 3300,
        correlationId: 'c-1',
        timeoutMs: 5000,
      },
    ])
    near.abort(new Error('over'))
  })

  it('says which location has no connector', async () => {
    const dial = createTunnelDial({ connection: () => undefined, subaccount: 'demo' })
    await expect(dial(target, opening)).rejects.toMatchObject({ code: 'CONNECTOR_NOT_CONNECTED', details: { locationId: 'orlando' } })
  })

  it.each<[string, (stream: TunnelStream) => void, string]>([
    ['nonsense', (stream) => stream.sendMessage(Buffer.from('{')), 'PROTOCOL_VIOLATION'],
    ['another kind', (stream) => stream.sendMessage(Buffer.from('{"kind":"maybe"}')), 'PROTOCOL_VIOLATION'],
    ['null', (stream) => stream.sendMessage(Buffer.from('null')), 'PROTOCOL_VIOLATION'],
    ['a refusal without a code', (stream) => stream.sendMessage(Buffer.from('{"kind":"refused"}')), 'PROTOCOL_VIOLATION'],
    [
      'a code of a newer version',
      (stream) => stream.sendMessage(Buffer.from('{"kind":"refused","code":"NEW","message":"x"}')),
      'PROTOCOL_VIOLATION',
    ],
    [
      'an answer that is too long',
      (stream) => stream.sendMessage(Buffer.from(`{"kind":"connected","x":"${'x'.repeat(9000)}"}`)),
      'PROTOCOL_VIOLATION',
    ],
    ['a reset', (stream) => stream.reset('failed'), 'PROTOCOL_VIOLATION'],
  ])('is told by a code when the connector answers with %s', async (_what, act, code) => {
    const { near } = await openTunnel((incoming) => act(incoming.accept(ignore)))
    const dial = createTunnelDial({ connection: () => near, subaccount: 'demo' })
    const error: unknown = await dial(target, opening).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code })
    expect((error as Error).message.length).toBeLessThan(700)
    await new Promise(setImmediate)
    expect(near.openStreams).toBe(0)
    near.abort(new Error('over'))
  })

  it('is told when the connector refuses the stream itself', async () => {
    const { near } = await openTunnel((incoming) => incoming.refuse())
    await expect(createTunnelDial({ connection: () => near, subaccount: 'demo' })(target, opening)).rejects.toMatchObject({
      code: 'PROTOCOL_VIOLATION',
    })
    near.abort(new Error('over'))
  })

  it('is told when the tunnel breaks before and after the answer', async () => {
    const { near, far } = await openTunnel((incoming) => incoming.accept(ignore))
    const attempt = createTunnelDial({ connection: () => near, subaccount: 'demo' })(target, opening)
    await new Promise(setImmediate)
    far.abort(new Error('broken'))
    await expect(attempt).rejects.toMatchObject({ code: 'TUNNEL_LOST' })
    await expect(createTunnelDial({ connection: () => near, subaccount: 'demo' })(target, opening)).rejects.toMatchObject({
      code: 'TUNNEL_LOST',
    })

    const second = await openTunnel((incoming) => incoming.accept(ignore).sendMessage(Buffer.from('{"kind":"connected"}')))
    const stream = await createTunnelDial({ connection: () => second.near, subaccount: 'demo' })(target, opening)
    const broken = once(stream, 'error')
    second.far.abort(new Error('broken'))
    const [error] = (await broken) as [unknown]
    expect(ConnectivityError.is(error, 'TUNNEL_LOST')).toBe(true)
  })

  it('carries no principal on a TCP stream', async () => {
    const dial = createTunnelDial({ connection: () => undefined, subaccount: 'demo' })
    const principal = { kind: 'business', token: { reveal: () => 't', toString: () => '', toJSON: () => '' } } as const
    await expect(dial(target, { ...opening, principal })).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
  })
})
