import { Duplex } from 'node:stream'

/**
 * Two ends of a connection in memory that behave like sockets: bounded buffers, half-close, a plain `destroy()` ends the
 * other side, `destroy(error)` resets it.
 */
export function createMemoryPair(): [Duplex, Duplex] {
  const near: Duplex = createEnd(() => far)
  const far: Duplex = createEnd(() => near)
  return [near, far]
}

/** Writers that wait until the other end reads. */
const waiting = new WeakMap<Duplex, (error?: Error) => void>()

function createEnd(peerOf: () => Duplex): Duplex {
  const end: Duplex = new Duplex({
    allowHalfOpen: true,
    read() {
      const peer = peerOf()
      const callback = waiting.get(peer)
      waiting.delete(peer)
      callback?.()
    },
    write(chunk: Buffer, _encoding, callback) {
      const peer = peerOf()
      if (peer.destroyed) {
        callback(connectionError('EPIPE'))
        return
      }
      if (peer.push(chunk)) callback()
      else waiting.set(end, callback)
    },
    final(callback) {
      const peer = peerOf()
      if (!peer.destroyed) peer.push(null)
      callback()
    },
    destroy(error, callback) {
      const peer = peerOf()
      waiting.delete(end)
      if (!peer.destroyed) {
        if (error !== null) peer.destroy(connectionError('ECONNRESET'))
        else if (!end.writableFinished) peer.push(null)
        const blocked = waiting.get(peer)
        waiting.delete(peer)
        blocked?.(connectionError('EPIPE'))
      }
      callback(error)
    },
  })
  return end
}

function connectionError(code: 'EPIPE' | 'ECONNRESET'): Error {
  return Object.assign(new Error(code), { code })
}
