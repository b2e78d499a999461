import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** One end of a connection that a case drives by hand. Everything received stays in `text`, one character per byte. */
export interface RawPeer {
  readonly stream: Duplex
  readonly text: string
  /** How the other side ended: its end, or a reset. */
  readonly ended: Promise<'end' | 'reset'>
  write(data: string | Buffer): void
  /** Waits until the pattern has arrived behind everything that earlier reads took, and takes it. */
  read(pattern: RegExp | string): Promise<string>
  /** Takes so many bytes. */
  take(bytes: number): Promise<Buffer>
}

/** A {@link RawPeer} that was dialled; disposing it cuts the connection. */
export interface RawClient extends RawPeer, AsyncDisposable {
  readonly socket: Socket
}

/** Drives a stream. Waits end with an error when `signal` fires; without one the caller has a limit of its own. */
export function createRawPeer(stream: Duplex, signal?: AbortSignal): RawPeer {
  let text = ''
  let taken = 0
  let failed: Error | undefined
  const waits = new Set<() => void>()
  const wake = (): void => {
    for (const one of waits) one()
  }
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    wake()
  })
  const ended = new Promise<'end' | 'reset'>((resolve, reject) => {
    stream.on('end', () => resolve('end'))
    stream.on('close', () => resolve('reset'))
    signal?.addEventListener('abort', () => reject(new Error(`waited too long for the end of the connection; got ${shown(text)}`)))
  })
  // Whoever does not ask for the end does not hear that it took too long.
  ended.catch(() => {})
  stream.on('error', (error) => {
    failed = error
  })
  for (const event of ['close', 'end']) stream.on(event, wake)
  signal?.addEventListener('abort', wake)

  const until = async (find: () => number, what: string): Promise<string> => {
    for (;;) {
      const end = find()
      if (end >= 0) {
        const found = text.slice(taken, end)
        taken = end
        return found
      }
      if (signal?.aborted === true) throw new Error(`waited too long for ${what}; got ${shown(text.slice(taken))}`)
      if (stream.readableEnded || stream.destroyed) {
        throw new Error(`the connection ended (${failed?.message ?? 'in order'}) before ${what}, after ${shown(text.slice(taken))}`)
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      waits.add(resolve)
      await promise
      waits.delete(resolve)
    }
  }
  return {
    stream,
    ended,
    get text() {
      return text
    },
    write: (data) => void stream.write(data, 'latin1'),
    read: (pattern) =>
      until(
        () => {
          const rest = text.slice(taken)
          if (typeof pattern === 'string') return rest.includes(pattern) ? taken + rest.indexOf(pattern) + pattern.length : -1
          const match = pattern.exec(rest)
          return match === null ? -1 : taken + match.index + match[0].length
        },
        shown(String(pattern)),
      ),
    take: async (bytes) => Buffer.from(await until(() => (text.length >= taken + bytes ? taken + bytes : -1), `${bytes} bytes`), 'latin1'),
  }
}

/** Connects to a port. */
export async function openRawClient(
  port: number,
  options: { readonly allowHalfOpen?: boolean; readonly host?: string; readonly signal?: AbortSignal } = {},
): Promise<RawClient> {
  const socket = connect({ port, host: options.host ?? '127.0.0.1', allowHalfOpen: options.allowHalfOpen ?? true, noDelay: true })
  const peer = createRawPeer(socket, options.signal)
  await once(socket, 'connect', options.signal === undefined ? {} : { signal: options.signal })
  return {
    stream: socket,
    socket,
    ended: peer.ended,
    get text() {
      return peer.text
    },
    write: peer.write,
    read: peer.read,
    take: peer.take,
    async [Symbol.asyncDispose]() {
      if (socket.destroyed) return
      socket.destroy()
      await once(socket, 'close')
    },
  }
}

/** One answer with `Content-Length`, head and body. */
export async function readAnswer(peer: RawPeer): Promise<{ readonly head: string; readonly status: number; readonly body: string }> {
  const head = await peer.read('\r\n\r\n')
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  const body = (await peer.take(length)).toString('latin1')
  return { head, status: Number(head.slice(9, 12)), body }
}

function shown(text: string): string {
  return text.length > 500 ? `${JSON.stringify(text.slice(0, 500))} and ${text.length - 500} bytes more` : JSON.stringify(text)
}
