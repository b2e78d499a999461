import type { ByteLink, ByteLinkHandlers } from '../multiplexer/byte-link.ts'

interface End {
  readonly link: ByteLink
  deliver(chunks: readonly Buffer[]): void
  peerEnded(): void
  peerGone(): void
}

/** Two ends of a byte connection inside the process. What one turn writes, the next turn delivers. */
export function createMemoryLinks(): readonly [ByteLink, ByteLink] {
  const a: End = createEnd(() => b)
  const b: End = createEnd(() => a)
  return [a.link, b.link]
}

function createEnd(other: () => End): End {
  let handlers: ByteLinkHandlers | undefined
  let waiting: Buffer[] = []
  let bufferedBytes = 0
  let state: 'open' | 'ended' | 'closed' = 'open'
  let peerHasEnded = false
  let isScheduled = false

  const flush = (): void => {
    isScheduled = false
    if (state === 'closed') return
    const chunks = waiting
    waiting = []
    bufferedBytes = 0
    other().deliver(chunks)
    if (state === 'ended') other().peerEnded()
    handlers?.onDrain()
    closeWhenBothEnded()
  }
  const schedule = (): void => {
    if (isScheduled) return
    isScheduled = true
    setImmediate(flush)
  }
  const close = (): void => {
    if (state === 'closed') return
    state = 'closed'
    handlers?.onClose(undefined)
  }
  const closeWhenBothEnded = (): void => {
    if (state === 'ended' && peerHasEnded && waiting.length === 0) close()
  }

  return {
    link: {
      get bufferedBytes() {
        return bufferedBytes
      },
      write(chunk, left) {
        if (state !== 'open') return
        // The other end may hold what it gets, as it may hold what a socket has read.
        waiting.push(Buffer.from(chunk))
        left?.()
        bufferedBytes += chunk.length
        schedule()
      },
      end() {
        if (state !== 'open') return
        state = 'ended'
        schedule()
      },
      destroy() {
        if (state === 'closed') return
        setImmediate(() => other().peerGone())
        close()
      },
      start(given) {
        handlers = given
      },
    },
    deliver(chunks) {
      for (const chunk of chunks) if (state !== 'closed') handlers?.onData(chunk)
    },
    peerEnded() {
      if (state === 'closed' || peerHasEnded) return
      peerHasEnded = true
      handlers?.onEnd()
      if (!isScheduled) closeWhenBothEnded()
    },
    peerGone: close,
  }
}
