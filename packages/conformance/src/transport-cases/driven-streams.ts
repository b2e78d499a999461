import { createHash } from 'node:crypto'
import { ConnectivityError, type IncomingTunnelStream, type TunnelConnection, type TunnelStreamHandlers } from '@sallyport/core'
import { expect } from '../expect.ts'
import { within } from '../probe.ts'
import { createStreamProbe, type StreamProbe } from '../stream-probe.ts'

/** Small enough to be quick, large enough to pass every window and buffer several times. */
export const bulkBytes = 6_000_000

/** Begins a stream and records what happens on it. */
export function open(connection: TunnelConnection, opening: Buffer = Buffer.from('opening')): StreamProbe {
  const probe = createStreamProbe()
  probe.stream = connection.openStream(opening, probe.handlers)
  return probe
}

/** Takes the next stream with a probe. */
export function accepting(
  connection: TunnelConnection,
  overrides: Partial<TunnelStreamHandlers> = {},
): { readonly probe: StreamProbe; readonly begun: Promise<void> } {
  const probe = createStreamProbe(overrides)
  const begun = new Promise<void>((resolve) => {
    connection.onStream = (incoming) => {
      probe.stream = incoming.accept(probe.handlers)
      resolve()
    }
  })
  return { probe, begun }
}

/** Sends back what arrives, with back pressure, and ends when the peer ends. */
export function echo(incoming: IncomingTunnelStream): void {
  const stream = incoming.accept({
    onData: (chunk) => stream.write(chunk),
    onMessage: (message) => void stream.sendMessage(message),
    onEnd: () => stream.end(),
    onDrain: () => stream.resume(),
    onClose() {},
  })
}

/** Writes in pieces of many sizes and waits whenever the stream is full. */
export async function writeAll(probe: StreamProbe, bytes: Buffer): Promise<void> {
  const sizes = [1, 100_000, 7, 65_536, 16_384, 3_000]
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    const chunk = Buffer.from(bytes.subarray(at, at + size))
    at += chunk.length
    if (probe.stream?.write(chunk) === false) await probe.drained()
  }
}

/** Asks back and forth a few times: whatever was on its way before has then arrived. */
export async function roundTrips(near: TunnelConnection, far: TunnelConnection, signal: AbortSignal): Promise<void> {
  const before = far.onStream
  far.onStream = echo
  for (let round = 0; round < 5; round++) {
    const probe = open(near)
    probe.stream?.write(Buffer.from('ping'))
    probe.stream?.end()
    await within(probe.closed, signal, 'a round trip')
    expect(Buffer.concat(probe.received).toString()).toBe('ping')
  }
  far.onStream = before
}

/** Code of the error that something throws at once; `undefined` when it does not. */
export function codeOfThrown(act: () => unknown): string | undefined {
  try {
    act()
  } catch (error) {
    return ConnectivityError.is(error) ? error.code : 'another error'
  }
  return undefined
}

/** Tells whether two collections of chunks are the same bytes, without a difference of megabytes in the report. */
export function digest(chunks: readonly Buffer[]): string {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}
