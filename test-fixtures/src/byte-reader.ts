import type { Socket } from 'node:net'

/** Reads exact counts of bytes from a socket, for fixtures that speak binary protocols. */
export interface ByteReader {
  take(count: number): Promise<Buffer>
  /** Up to and with `mark`. */
  takeThrough(mark: string): Promise<Buffer>
}

export function createByteReader(socket: Socket): ByteReader {
  const takeMeasured = async (measure: (bytes: Buffer) => number): Promise<Buffer> => {
    let bytes = Buffer.alloc(0)
    for (;;) {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) {
        // oxlint-disable-next-line no-await-in-loop -- bytes come one after the other
        await readable(socket)
        continue
      }
      bytes = Buffer.concat([bytes, chunk])
      const count = measure(bytes)
      if (count < 0 || count > bytes.length) continue
      if (bytes.length > count) socket.unshift(bytes.subarray(count))
      return bytes.subarray(0, count)
    }
  }
  return {
    take: (count) => (count === 0 ? Promise.resolve(Buffer.alloc(0)) : takeMeasured(() => count)),
    takeThrough: (mark) =>
      takeMeasured((bytes) => {
        const at = bytes.indexOf(mark)
        return at === -1 ? -1 : at + mark.length
      }),
  }
}

function readable(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => (): void => {
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd)
      finish()
    }
    const onReadable = settle(resolve)
    const onEnd = settle(() => reject(new Error('the client has gone')))
    if (socket.readableEnded || socket.destroyed) {
      onEnd()
      return
    }
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd)
  })
}
