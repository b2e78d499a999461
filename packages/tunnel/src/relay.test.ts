import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { StreamCloseReason, TunnelStream, TunnelStreamHandlers } from '@sallyport/core'
import { afterEach, describe, expect, it } from 'vitest'
import { createTunnelPair } from '../test-support/tunnel-pair.ts'
import { nextTurn, until } from '../test-support/turn.ts'
import { relay } from './relay.ts'

const open: { destroy(): unknown }[] = []
const servers: Server[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** A TCP connection: what the relay gets, and the program at its other end. */
async function socketPair(): Promise<{ readonly local: Socket; readonly program: Socket }> {
  const server = createServer({ allowHalfOpen: true })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const arrived = once(server, 'connection') as Promise<[Socket]>
  const program = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [local] = await arrived
  open.push(local, program)
  return { local, program }
}

/** application - relay - tunnel - relay - backend */
async function joined(): Promise<{
  readonly application: Socket
  readonly backend: Socket
  readonly reasons: StreamCloseReason[]
  readonly streams: TunnelStream[]
}> {
  const { near, far } = await createTunnelPair()
  const front = await socketPair()
  const back = await socketPair()
  const reasons: StreamCloseReason[] = []
  const streams: TunnelStream[] = []
  const options = { onClose: (reason: StreamCloseReason) => reasons.push(reason) }
  far.onStream = (incoming) => streams.push(relay(back.local, (handlers) => incoming.accept(handlers), options))
  streams.push(relay(front.local, (handlers) => near.openStream(Buffer.from('opening'), handlers), options))
  await until(() => streams.length === 2)
  return { application: front.program, backend: back.program, reasons, streams }
}

/** Settles with the codes of the errors that came before the close. */
async function closeOf(socket: Socket): Promise<readonly string[]> {
  const errors: string[] = []
  socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''))
  await new Promise((resolve) => socket.once('close', resolve))
  return errors
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

describe('relay', () => {
  it('carries bytes both ways and lets the backend answer after the application has ended', async () => {
    const { application, backend, reasons } = await joined()
    application.end('question')
    // An iteration that ends would destroy the socket, so the backend reads by hand.
    const question: Buffer[] = []
    backend.on('data', (chunk: Buffer) => question.push(chunk))
    await once(backend, 'end')
    expect(Buffer.concat(question).toString()).toBe('question')
    backend.end('answer after the end')
    expect((await readAll(application)).toString()).toBe('answer after the end')
    await until(() => reasons.length === 2)
    expect(reasons).toEqual([{ kind: 'finished' }, { kind: 'finished' }])
  })

  it('writes the first chunk after a quiet turn at once and gathers those of a busy one', async () => {
    const { local } = await socketPair()
    let handlers: TunnelStreamHandlers | undefined
    relay(local, (given) => {
      handlers = given
      return { resume() {}, end() {}, reset() {} } as unknown as TunnelStream
    })
    const turn = async (chunks: number): Promise<number> => {
      for (let at = 0; at < chunks; at++) handlers?.onData(Buffer.from('abc'))
      const waiting = local.writableLength
      await nextTurn()
      expect(local.writableLength).toBe(0)
      return waiting
    }
    expect(await turn(1)).toBe(0)
    expect(await turn(3)).toBe(2 * 3)
    expect(await turn(3)).toBe(3 * 3)
    expect(await turn(1)).toBe(3)
    expect(await turn(1)).toBe(0)
  })

  it('passes a reset of the backend on as a reset and not as the end of the data', async () => {
    const { application, backend, reasons } = await joined()
    const closed = closeOf(application)
    backend.write('half an answer')
    await once(application, 'data')
    backend.resetAndDestroy()
    expect(await closed).toEqual(['ECONNRESET'])
    await until(() => reasons.length === 2)
    expect(reasons).toContainEqual({ kind: 'reset', by: 'local', code: 'failed' })
    expect(reasons).toContainEqual({ kind: 'reset', by: 'peer', code: 'failed' })
  })

  it('passes a reset of the application on to the backend', async () => {
    const { application, backend } = await joined()
    const closed = closeOf(backend)
    backend.resume()
    application.resetAndDestroy()
    expect(await closed).toEqual(['ECONNRESET'])
  })

  it('closes the socket when the stream is ended and reset in one turn', async () => {
    const { near, far } = await createTunnelPair()
    const { local, program } = await socketPair()
    program.resume()
    far.onStream = (incoming) => void relay(local, (handlers) => incoming.accept(handlers))
    const closed = [closeOf(local), closeOf(program.on('end', () => program.end()))]
    const stream = near.openStream(Buffer.alloc(0), { onData: () => true, onEnd() {}, onDrain() {}, onClose() {} })
    stream.end()
    stream.reset('cancelled')
    const [errors] = await Promise.all(closed)
    expect(errors).toEqual([])
  })

  it('resets the socket when the tunnel is lost', async () => {
    const { near, far } = await createTunnelPair()
    const { local, program } = await socketPair()
    far.onStream = (incoming) => void incoming.accept({ onData: () => true, onEnd() {}, onDrain() {}, onClose() {} })
    relay(local, (handlers) => near.openStream(Buffer.alloc(0), handlers))
    const closed = closeOf(program)
    program.resume()
    near.abort(new Error('lost'))
    expect(await closed).toEqual(['ECONNRESET'])
  })

  it('stops reading the backend while the application does not read, and loses nothing', async () => {
    const { application, backend, streams } = await joined()
    application.pause()
    const total = 64 * 1024 * 1024
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    let written = 0
    let isStopped = false
    const write = (): void => {
      while (written < total) {
        written += chunk.length
        if (!backend.write(chunk)) return
      }
      backend.end()
    }
    backend.on('drain', write)
    write()
    // The backend has stopped when a good number of turns brought nothing.
    for (let last = -1, same = 0; !isStopped;) {
      await new Promise((resolve) => setImmediate(resolve))
      same = last === written ? same + 1 : 0
      last = written
      isStopped = same >= 2_000
    }
    expect(written).toBeLessThan(48 * 1024 * 1024)
    const passed = streams[0]?.bytesReceived ?? 0
    expect(passed).toBeLessThan(32 * 1024 * 1024)
    let received = 0
    application.on('data', (part: Buffer) => {
      received += part.length
    })
    application.resume()
    await once(application, 'end')
    expect(received).toBe(total)
  })

  it('gives up the stream of a socket that is gone already, and ends that of one that has ended', async () => {
    const { near, far } = await createTunnelPair()
    const heard: string[] = []
    far.onStream = (incoming) =>
      void incoming.accept({
        onData: () => true,
        onEnd: () => heard.push('end'),
        onDrain() {},
        onClose: (reason) => heard.push(reason.kind),
      })
    const gone = await socketPair()
    gone.local.destroy()
    relay(gone.local, (handlers) => near.openStream(Buffer.alloc(0), handlers))
    await until(() => heard.length === 1)
    expect(heard).toEqual(['reset'])
    const ended = await socketPair()
    ended.program.end()
    ended.local.resume()
    await once(ended.local, 'end')
    relay(ended.local, (handlers) => near.openStream(Buffer.alloc(0), handlers))
    await until(() => heard.length === 2)
    expect(heard).toEqual(['reset', 'end'])
  })

  it('leaves the socket to its owner when the stream cannot be opened', async () => {
    const { near } = await createTunnelPair()
    near.abort(new Error('gone'))
    const { local } = await socketPair()
    expect(() => relay(local, (handlers) => near.openStream(Buffer.alloc(0), handlers))).toThrow(/closed or closing/)
    expect(local.destroyed).toBe(false)
    expect(local.listenerCount('data')).toBe(0)
  })
})
