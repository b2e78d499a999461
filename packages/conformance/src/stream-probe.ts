import type { StreamCloseReason, TunnelStream, TunnelStreamHandlers } from '@sallyport/core'

/** Records what happens on one stream of a tunnel, in order, and lets a case wait for it. */
export interface StreamProbe {
  readonly handlers: TunnelStreamHandlers
  /** Set by whoever begins the stream. */
  stream: TunnelStream | undefined
  /** What `onData` answers from now on. */
  reading: boolean
  readonly received: readonly Buffer[]
  readonly receivedBytes: number
  /** `data`, `message:<text>`, `end`, `drain`, `close`; neighbouring `data` counts once. */
  readonly events: readonly string[]
  readonly closed: Promise<StreamCloseReason>
  readonly ended: Promise<void>
  /** Settles when so many bytes have arrived. */
  bytes(count: number): Promise<Buffer>
  drained(): Promise<void>
}

/** @param overrides handlers that a case wants to write itself; they run besides the recording. */
export function createStreamProbe(overrides: Partial<TunnelStreamHandlers> = {}): StreamProbe {
  const received: Buffer[] = []
  const events: string[] = []
  const waits: { readonly count: number; settle(): void }[] = []
  const drains: (() => void)[] = []
  let receivedBytes = 0
  let settleClosed: (reason: StreamCloseReason) => void = () => {}
  let settleEnded: () => void = () => {}
  const probe: StreamProbe = {
    stream: undefined,
    reading: true,
    received,
    events,
    get receivedBytes() {
      return receivedBytes
    },
    closed: new Promise((resolve) => {
      settleClosed = resolve
    }),
    ended: new Promise((resolve) => {
      settleEnded = resolve
    }),
    async bytes(count) {
      if (receivedBytes < count) await new Promise<void>((settle) => waits.push({ count, settle }))
      return Buffer.concat(received)
    },
    drained: () => new Promise((settle) => drains.push(settle)),
    handlers: {
      onData(chunk) {
        received.push(chunk)
        receivedBytes += chunk.length
        if (events.at(-1) !== 'data') events.push('data')
        for (const wait of waits) if (receivedBytes >= wait.count) wait.settle()
        const more = overrides.onData?.(chunk)
        return more ?? probe.reading
      },
      onMessage(message) {
        events.push(`message:${message.toString()}`)
        overrides.onMessage?.(message)
      },
      onEnd() {
        events.push('end')
        settleEnded()
        overrides.onEnd?.()
      },
      onDrain() {
        events.push('drain')
        for (const settle of drains.splice(0)) settle()
        overrides.onDrain?.()
      },
      onClose(reason) {
        events.push('close')
        settleClosed(reason)
        overrides.onClose?.(reason)
      },
    },
  }
  return probe
}
