import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TunnelStream, TunnelTransport } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { formatMessage, type ServeChannel } from '@sallyport/tunnel'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, startConnectorBench, subaccount, until } from '../conformance/connector-bench.ts'

let bench: ConnectorBench | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await bench?.[Symbol.asyncDispose]()
  bench = undefined
})

const host = `127.${[0, 0, 0].map(() => 1 + Math.floor(Math.random() * 250)).join('.')}`
const connector = { channels: [{ type: 'K8S', k8sCluster: 'cp/db', port: 5432, host }] }
const status = () => bench?.connector.status.links[0]?.channels[0]
const quiet = { onData: () => true, onEnd() {}, onDrain() {}, onClose() {} }

async function client(): Promise<Socket> {
  const socket = connect({ host, port: 5432, allowHalfOpen: true })
  sockets.push(socket)
  await once(socket, 'connect')
  socket.on('error', () => {})
  return socket
}
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.once('end', () => resolve('end'))
    socket.resume()
  })
}
const outcome = (): Promise<string> => client().then(endOf, (error: NodeJS.ErrnoException) => error.code ?? '')

async function start(serveChannel: ServeChannel, through?: (transport: TunnelTransport) => TunnelTransport): Promise<void> {
  bench = await startConnectorBench({ serveChannel, connector, ...(through === undefined ? {} : { through }) })
}

describe('a cloud side that misbehaves towards service channels', () => {
  it.each<[string, (stream: TunnelStream) => void, string]>([
    ['answers nonsense', (stream) => void stream.sendMessage(Buffer.from('{"kind":"maybe"}')), 'PROTOCOL_VIOLATION'],
    ['resets the stream', (stream) => stream.reset('failed'), 'SERVICE_UNAVAILABLE'],
  ])('that %s: the client is reset, and the next one is asked for again', async (_, misbehave, code) => {
    await start((incoming) => misbehave(incoming.accept(quiet)))
    await until(() => status()?.state.kind === 'open')
    expect(await outcome()).toBe('ECONNRESET')
    expect(status()).toMatchObject({ openedConnections: 0, lastRefusal: { code }, state: { kind: 'open' } })
    expect(await outcome()).toBe('ECONNRESET')
    expect(status()?.usage).toMatchObject({ clients: 0, refused: 2 })
  })

  it('that sends bytes before its answer: they never reach the client, who is reset when the time is over', async () => {
    const clock = createManualClock(Date.now())
    bench = await startConnectorBench({
      clock,
      connector,
      serveChannel(incoming) {
        const stream = incoming.accept(quiet)
        stream.write(Buffer.from('early'))
        stream.sendMessage(formatMessage({ kind: 'connected' }))
      },
    })
    await until(() => status()?.state.kind === 'open')
    const socket = await client()
    let got = ''
    socket.on('data', (chunk) => (got += chunk.toString()))
    const ended = endOf(socket)
    await until(() => status()?.openedConnections === 1)
    clock.advance(20_000)
    expect(await ended).toBe('ECONNRESET')
    expect(got).toBe('')
  })

  it('that is lost while it should answer: the client is reset, and what it had sent goes nowhere', async () => {
    const taken: TunnelStream[] = []
    const heard: string[] = []
    await start((incoming) => void taken.push(incoming.accept({ ...quiet, onData: (chunk) => heard.push(chunk.toString()) > 0 })))
    await until(() => status()?.state.kind === 'open')
    const socket = await client()
    socket.write('secret')
    const ended = endOf(socket)
    await until(() => taken.length === 1)
    bench?.cloudSide.disconnect(subaccount, 'bench')
    expect(await ended).toBe('ECONNRESET')
    expect(status()?.lastRefusal?.code).toBe('TUNNEL_LOST')
    expect(heard).toEqual([])
  })

  it('that speaks version 1 only: the port stays closed, the status says why, and everything else works', async () => {
    // The connector offers version 1 alone, so the server answers as one of then does.
    const asOfOld = (transport: TunnelTransport): TunnelTransport => ({
      ...transport,
      async connect(endpoint, options) {
        const connection = await transport.connect(endpoint, options)
        const open = connection.openStream.bind(connection)
        return Object.assign(connection, {
          openStream: (opening: Buffer, handlers: Parameters<typeof open>[1]) =>
            open(Buffer.from(opening.toString().replace('"versions":[2,1]', '"versions":[1]')), handlers),
        })
      },
    })
    await start((incoming) => incoming.refuse(), asOfOld)
    await until(() => status()?.state.kind === 'waiting')
    expect(status()?.state).toMatchObject({ code: 'VERSION_UNSUPPORTED', message: expect.stringContaining('too old for service channels') })
    await expect(bench?.connector.whenChannelServed({ subaccount, locationId: '' }, 1, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      code: 'VERSION_UNSUPPORTED',
    })
    expect(await outcome()).toBe('ECONNREFUSED')
    expect((await bench?.tcp({ host: 'db.demo', port: 1 }))?.answer).toMatchObject({ kind: 'refused', code: 'ACCESS_DENIED' })
  })
})

describe('clients that misbehave', () => {
  it('that are gone before the answer: neither side keeps anything of them', async () => {
    const taken: TunnelStream[] = []
    await start((incoming) => void taken.push(incoming.accept({ ...quiet, onEnd: () => taken[0]?.end() })))
    await until(() => status()?.state.kind === 'open')
    const socket = await client()
    await until(() => taken.length === 1)
    socket.resetAndDestroy()
    taken[0]?.sendMessage(formatMessage({ kind: 'connected' }))
    await until(() => status()?.openedConnections === 0)
    await until(() => bench?.cloudSide.list()[0]?.openStreams === 0)
    expect(status()?.state.kind).toBe('open')
  })

  it('that connect and vanish by the hundred leave nothing behind', async () => {
    let open = 0
    await start((incoming) => {
      open++
      const stream = incoming.accept({ ...quiet, onEnd: () => stream.end(), onClose: () => open-- })
      stream.sendMessage(formatMessage({ kind: 'connected' }))
    })
    await until(() => status()?.state.kind === 'open')
    await Promise.all(
      Array.from({ length: 300 }, async (_, at) => {
        const socket = await client()
        if (at % 3 === 0) socket.resetAndDestroy()
        else if (at % 3 === 1) socket.end('bye')
        else socket.destroy()
      }),
    )
    await until(() => status()?.openedConnections === 0 && open === 0)
    expect(bench?.cloudSide.list()[0]?.openStreams).toBe(0)
  })
})
