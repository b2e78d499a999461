import type { ByteLink, ByteLinkHandlers } from '../src/multiplexer/byte-link.ts'

/** A pair of links whose bytes move only when the test says so. */
export interface ManualLinks {
  readonly a: ByteLink
  readonly b: ByteLink
  /** Moves at most so many of the bytes under way from `a` to `b` (or back) in one chunk. `false`: there were none. */
  move(from: 'a' | 'b', maxBytes?: number): boolean
  /** Writes that each end has made, in calls, since the beginning: what one turn writes should be few. */
  readonly writes: { readonly a: number; readonly b: number }
  readonly cutAll: () => void
}

interface End {
  handlers: ByteLinkHandlers | undefined
  pending: Buffer
  ended: boolean
  endDelivered: boolean
  closed: boolean
  writes: number
}

const newEnd = (): End => ({
  handlers: undefined,
  pending: Buffer.alloc(0),
  ended: false,
  endDelivered: false,
  closed: false,
  writes: 0,
})

export function createManualLinks(): ManualLinks {
  const ends = { a: newEnd(), b: newEnd() }
  const other = { a: ends.b, b: ends.a }

  const close = (end: End): void => {
    if (end.closed) return
    end.closed = true
    end.handlers?.onClose(undefined)
  }
  const link = (name: 'a' | 'b'): ByteLink => {
    const end = ends[name]
    return {
      get bufferedBytes() {
        return end.pending.length
      },
      write(chunk) {
        if (end.closed || end.ended) return
        end.writes++
        end.pending = Buffer.concat([end.pending, chunk])
      },
      end() {
        end.ended = true
      },
      destroy() {
        if (end.closed) return
        close(end)
        setImmediate(() => close(other[name]))
      },
      start(handlers) {
        end.handlers = handlers
      },
    }
  }
  return {
    a: link('a'),
    b: link('b'),
    move(from, maxBytes = Infinity) {
      const end = ends[from]
      const to = other[from]
      if (to.closed) return false
      if (end.pending.length > 0) {
        const chunk = end.pending.subarray(0, Math.min(maxBytes, end.pending.length))
        end.pending = end.pending.subarray(chunk.length)
        to.handlers?.onData(chunk)
        if (end.pending.length === 0) end.handlers?.onDrain()
        return true
      }
      if (end.ended && !end.endDelivered) {
        end.endDelivered = true
        to.handlers?.onEnd()
        if (to.ended && to.endDelivered && to.pending.length === 0) {
          close(ends.a)
          close(ends.b)
        }
        return true
      }
      return false
    },
    get writes() {
      return { a: ends.a.writes, b: ends.b.writes }
    },
    cutAll() {
      close(ends.a)
      close(ends.b)
    },
  }
}
