import { ConnectivityError, type IncomingTunnelStream, type StreamCloseReason, type TunnelStream } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { until } from '../test-support/turn.ts'
import { anyTime, createTunnelWorld, quiet } from '../test-support/tunnel-world.ts'
import { type ChannelOpening, formatMessage } from './messages.ts'
import type { ServeChannel } from './served-connector.ts'

const opening: ChannelOpening = { kind: 'channel', serviceType: 'TCP', serviceId: 'database', correlationId: 'c', timeoutMs: 1_000 }

interface Taken {
  readonly stream: TunnelStream
  readonly opening: ChannelOpening
  readonly from: Parameters<ServeChannel>[2]
}

/** A server side that takes every stream, says so, and sends back what it gets. */
function echoing(taken: Taken[]): ServeChannel {
  return (incoming: IncomingTunnelStream, wanted, from) => {
    const stream: TunnelStream = incoming.accept({ ...quiet, onData: (chunk) => stream.write(chunk), onEnd: () => stream.end() })
    stream.sendMessage(formatMessage({ kind: 'connected' }))
    taken.push({ stream, opening: wanted, from })
  }
}

function codeOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return ConnectivityError.is(error) && error.code
  }
  return 'no error'
}

describe('streams that a connector opens', () => {
  it('reach the server with who was admitted, answer before any byte, and end each direction by itself', async () => {
    const world = createTunnelWorld()
    const taken: Taken[] = []
    await world.server({ onChannel: echoing(taken) })
    const client = world.client()
    await client.whenReady(anyTime())
    expect(client.takesChannels).toBe(true)
    const seen: string[] = []
    const stream = client.openChannel(opening, {
      ...quiet,
      onMessage: (message) => void seen.push(message.toString()),
      onData: (chunk) => seen.push(chunk.toString()) > 0,
      onEnd: () => void seen.push('end'),
      onClose: (reason) => void seen.push(reason.kind),
    })
    stream.write(Buffer.from('hello'))
    stream.end()
    await until(() => seen.includes('finished'))
    expect(seen).toEqual(['{"kind":"connected"}', 'hello', 'end', 'finished'])
    expect(taken[0]).toMatchObject({ opening, from: { subaccount: 'demo', locationId: '', connectorId: 'one' } })
  })

  it('are refused where nobody serves them, and when their opening is something else', async () => {
    const reasons: StreamCloseReason[] = []
    const onClose = (reason: StreamCloseReason): void => void reasons.push(reason)
    const deaf = createTunnelWorld()
    await deaf.server()
    const unserved = deaf.client()
    await unserved.whenReady(anyTime())
    unserved.openChannel(opening, { ...quiet, onClose })
    await until(() => reasons.length === 1)
    const world = createTunnelWorld()
    await world.server({ onChannel: echoing([]) })
    const client = world.client()
    await client.whenReady(anyTime())
    client.openChannel({ ...opening, serviceId: '' }, { ...quiet, onClose })
    await until(() => reasons.length === 2)
    expect(reasons.map((reason) => reason.kind === 'reset' && `${reason.by} ${reason.code}`)).toEqual(['peer refused', 'peer refused'])
  })

  it('are not opened towards a server of version 1, nor accepted from a connector of version 1', async () => {
    const world = createTunnelWorld()
    const taken: Taken[] = []
    await world.server({ onChannel: echoing(taken) })
    const connection = await world.transport.connect(world.endpoint, { signal: anyTime() })
    const welcomes: string[] = []
    const hello = { kind: 'control', versions: [1], locationId: 'old', connectorId: 'old', agentVersion: '', description: '' } as const
    connection.openStream(formatMessage(hello), { ...quiet, onMessage: (message) => void welcomes.push(message.toString()) })
    await until(() => welcomes.length === 1)
    const reasons: StreamCloseReason[] = []
    connection.openStream(formatMessage(opening), { ...quiet, onClose: (reason) => void reasons.push(reason) })
    await until(() => reasons.length === 1)
    expect(reasons).toEqual([{ kind: 'reset', by: 'peer', code: 'refused' }])
    expect(taken).toEqual([])

    const past = createTunnelWorld()
    await past.transport.listen(past.endpoint, {
      onConnection(far) {
        far.onStream = (incoming) => {
          const control = incoming.accept(quiet)
          control.sendMessage(formatMessage({ kind: 'welcome', version: 1, subaccount: 'demo', tunnelId: 'account:///demo' }))
        }
      },
    })
    const client = past.client()
    await client.whenReady(anyTime())
    expect(client.takesChannels).toBe(false)
    expect(codeOf(() => client.openChannel(opening, quiet))).toBe('VERSION_UNSUPPORTED')
  })

  it('are not opened while there is no tunnel, and are lost with it', async () => {
    const world = createTunnelWorld()
    await world.server({ onChannel: echoing([]) })
    const client = world.client()
    expect(client.takesChannels).toBe(false)
    expect(codeOf(() => client.openChannel(opening, quiet))).toBe('TUNNEL_LOST')
    await client.whenReady(anyTime())
    const reasons: StreamCloseReason[] = []
    client.openChannel(opening, { ...quiet, onClose: (reason) => void reasons.push(reason) })
    for (const connection of world.dialled) connection.abort(new Error('cut'))
    await until(() => reasons.length === 1)
    expect(reasons).toEqual([{ kind: 'lost' }])
  })
})
