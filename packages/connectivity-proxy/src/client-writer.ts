import type { Socket } from 'node:net'
import type { Clock } from '@sallyport/core'

/** Writes to an application and notices when it no longer reads. */
export interface ClientWriter {
  /** The chunk is accepted in any case; `false` asks to stop until `onReady`. */
  write(chunk: Buffer): boolean
  readonly ready: boolean
  /** Ends our side behind everything written. */
  end(): void
  /** Stops watching; the socket is gone. */
  dispose(): void
}

/**
 * What does not fit into the socket's own buffer waits in a queue and goes out piece by piece, so that each piece that leaves is progress that can be seen: an
 * application on a slow line is not taken for one that has stopped. What can wait here is bounded by the window of the tunnel stream.
 */
export function createClientWriter(
  socket: Socket,
  options: { readonly clock: Clock; readonly timeoutMs: number; readonly onReady: () => void; readonly onStalled: () => void },
): ClientWriter {
  const { clock, timeoutMs } = options
  let queue: Buffer[] = []
  let ending = false
  let stopWatching: (() => void) | undefined

  function watch(): void {
    stopWatching?.()
    stopWatching = clock.after(timeoutMs, options.onStalled)
  }

  socket.on('drain', () => {
    for (let at = 0; at < queue.length; at += 1) {
      if (socket.write(queue[at] ?? '')) continue
      queue.splice(0, at + 1)
      watch()
      return
    }
    queue = []
    stopWatching?.()
    stopWatching = undefined
    if (ending) socket.end()
    else options.onReady()
  })

  socket.on('finish', () => stopWatching?.())

  return {
    get ready() {
      return !socket.writableNeedDrain && queue.length === 0
    },
    write(chunk) {
      if (socket.writableNeedDrain) {
        queue.push(chunk)
        return false
      }
      if (socket.write(chunk)) return true
      watch()
      return false
    },
    end() {
      if (ending) return
      ending = true
      // Less than a full buffer may wait for a reader as well.
      watch()
      if (!socket.writableNeedDrain) socket.end()
    },
    dispose() {
      stopWatching?.()
      stopWatching = undefined
      queue = []
    },
  }
}
