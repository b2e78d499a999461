import type { Duplex } from 'node:stream'

/** Counts streams until they are closed, so that a test can wait for the last one. */
export interface OpenStreams {
  add(stream: Duplex): void
  readonly accepted: number
  idle(): Promise<void>
  destroyAll(): void
}

export function createOpenStreams(): OpenStreams {
  const open = new Set<Duplex>()
  let accepted = 0
  let waiting: (() => void)[] = []
  return {
    add(stream) {
      accepted++
      open.add(stream)
      // A peer that resets is an event of the test, not an unhandled error of the fixture.
      stream.on('error', () => {})
      stream.once('close', () => {
        open.delete(stream)
        if (open.size > 0) return
        for (const resolve of waiting) resolve()
        waiting = []
      })
    },
    get accepted() {
      return accepted
    },
    idle: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    destroyAll() {
      for (const stream of open) stream.destroy()
    },
  }
}
