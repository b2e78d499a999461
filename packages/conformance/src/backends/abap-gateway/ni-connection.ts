import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { createNiReader, formatNiFrame, maxClientFrameBytes, niPing, niPong } from '@sallyport/rfc-wire'

/** NI messages over a socket, for fixtures that play a server of an ABAP system. */
export interface NiConnection {
  /** The next message, copied; `undefined` when the client has gone. Pings of the client are answered on the way. */
  take(): Promise<Buffer | undefined>
  /** Sends a ping and waits for the answer; messages that come before are kept for `take`. */
  ping(): Promise<void>
  /** Sends messages, waiting for a client that reads slowly. */
  send(...payloads: readonly Buffer[]): Promise<void>
  /** Sends bytes as they are. */
  sendBytes(bytes: Buffer): Promise<void>
  /** Ends this side, and reads on until the client has ended its own. */
  end(): Promise<void>
}

/** With `chunkBytes`, what is sent goes out in pieces of at most that size, each in a packet of its own. */
export function createNiConnection(socket: Duplex, { chunkBytes }: { readonly chunkBytes?: number | undefined } = {}): NiConnection {
  const reader = createNiReader({ maxPayloadBytes: maxClientFrameBytes })
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const messages: Buffer[] = []
  let pongs = 0

  /** Whether there was something to read. */
  async function readOn(): Promise<boolean> {
    const { done, value } = await chunks.next()
    if (done === true) return false
    const { frames, refused } = reader.read(value)
    for (const frame of frames) {
      // A copy of its own: one from the pool would keep eight others alive.
      if (frame.kind === 'message') messages.push(Buffer.copyBytesFrom(frame.payload))
      else if (frame.kind === 'pong') pongs += 1
      else socket.write(formatNiFrame(niPong))
    }
    if (refused !== undefined) socket.destroy()
    return refused === undefined
  }

  async function write(bytes: Buffer): Promise<void> {
    if (socket.write(bytes) || socket.destroyed) return
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        socket.off('drain', settle).off('close', settle)
        resolve()
      }
      socket.on('drain', settle).on('close', settle)
    })
  }

  async function sendBytes(bytes: Buffer): Promise<void> {
    if (chunkBytes === undefined) return write(bytes)
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      // oxlint-disable-next-line no-await-in-loop -- one piece after the other is what is wanted
      await write(bytes.subarray(at, at + chunkBytes))
      // oxlint-disable-next-line no-await-in-loop -- so that the pieces do not become one again
      await setImmediate()
    }
  }

  async function take(): Promise<Buffer | undefined> {
    // oxlint-disable-next-line no-await-in-loop -- bytes come one after the other
    while (messages.length === 0) if (!(await readOn())) return undefined
    return messages.shift()
  }

  return {
    take,
    async end() {
      socket.end()
      // oxlint-disable-next-line no-await-in-loop -- one message after the other
      while ((await take()) !== undefined);
    },
    async ping() {
      const before = pongs
      await sendBytes(formatNiFrame(niPing))
      // oxlint-disable-next-line no-await-in-loop -- bytes come one after the other
      while (pongs === before) if (!(await readOn())) throw new Error('the client did not answer a ping')
    },
    // oxlint-disable-next-line no-await-in-loop -- in their order
    async send(...payloads) {
      for (const payload of payloads) await sendBytes(formatNiFrame(payload))
    },
    sendBytes,
  }
}
