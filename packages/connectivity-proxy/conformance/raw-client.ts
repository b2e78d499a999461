import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A socket that a test drives by hand. Everything received stays in `text`, one character per byte. */
export interface RawClient extends AsyncDisposable {
  readonly socket: Socket
  readonly text: string
  write(text: string | Buffer): void
  /** Waits until the pattern has arrived behind everything that earlier reads took, and takes it. */
  read(pattern: RegExp | string): Promise<string>
  /** Takes so many bytes. */
  take(bytes: number): Promise<Buffer>
  /** How the other side ended: its FIN, or a reset. */
  readonly ended: Promise<'end' | 'reset'>
}

export async function openRawClient(
  port: number,
  options: { readonly allowHalfOpen?: boolean; readonly host?: string } = {},
): Promise<RawClient> {
  const socket = connect({ port, host: options.host ?? '127.0.0.1', allowHalfOpen: options.allowHalfOpen ?? true, noDelay: true })
  let text = ''
  let taken = 0
  let failed: Error | undefined
  const wake = new Set<() => void>()
  const notify = (): void => {
    for (const one of wake) one()
  }
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    notify()
  })
  const ended = new Promise<'end' | 'reset'>((resolve) => {
    socket.on('end', () => resolve('end'))
    socket.on('close', () => resolve('reset'))
  })
  socket.on('error', (error) => {
    failed = error
  })
  socket.on('close', notify)
  socket.on('end', notify)
  await once(socket, 'connect')

  const until = async (find: () => number): Promise<string> => {
    for (;;) {
      const end = find()
      if (end >= 0) {
        const found = text.slice(taken, end)
        taken = end
        return found
      }
      if (socket.readableEnded || socket.destroyed) {
        throw new Error(`the connection ended (${failed?.message ?? 'FIN'}) after ${JSON.stringify(text.slice(taken, taken + 500))}`)
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      wake.add(resolve)
      await promise
      wake.delete(resolve)
    }
  }
  return {
    socket,
    ended,
    get text() {
      return text
    },
    write: (data) => void socket.write(data, 'latin1'),
    read: (pattern) =>
      until(() => {
        const rest = text.slice(taken)
        if (typeof pattern === 'string') return rest.includes(pattern) ? taken + rest.indexOf(pattern) + pattern.length : -1
        const match = pattern.exec(rest)
        return match === null ? -1 : taken + match.index + match[0].length
      }),
    take: async (bytes) => Buffer.from(await until(() => (text.length >= taken + bytes ? taken + bytes : -1)), 'latin1'),
    async [Symbol.asyncDispose]() {
      if (socket.destroyed) return
      socket.destroy()
      await once(socket, 'close')
    },
  }
}

/** One answer with `Content-Length`, head and body. */
export async function readAnswer(client: RawClient): Promise<{ readonly head: string; readonly status: number; readonly body: string }> {
  const head = await client.read('\r\n\r\n')
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  const body = (await client.take(length)).toString('latin1')
  return { head, status: Number(head.slice(9, 12)), body }
}
