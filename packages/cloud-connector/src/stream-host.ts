import type { IncomingTunnelStream } from '@sallyport/core'
import type { StreamOpening } from '@sallyport/tunnel'
import { serveHttpStream } from './http/http-stream.ts'
import { maxShownApplications } from './limits.ts'
import type { LinkContext, ServedStream } from './link-context.ts'
import { serveTcpStream } from './tcp/tcp-stream.ts'
import { traceStream } from './trace/traced-stream.ts'

/** Streams that one application has open. */
export interface ApplicationStreams {
  readonly application: string
  readonly streams: number
}

/** Serves the streams that the cloud side opens over the tunnel of one subaccount and location. */
export interface StreamHost {
  /** Takes a stream over within the same turn, or refuses it. */
  accept(incoming: IncomingTunnelStream, opening: StreamOpening): void
  readonly openStreams: number
  /** Applications that have streams open, by client ID; the empty one has not shown any. At most {@link maxShownApplications}, those with most streams. */
  readonly applications: readonly ApplicationStreams[]
  /** Ends streams on which nothing is under way; settles when none is open any more. */
  drain(): Promise<void>
  /** Gives all streams up at once. */
  abort(): void
}

/** A stream for another subaccount or location than the tunnel's is refused: nobody's mapping serves somebody else. */
export function createStreamHost(context: LinkContext): StreamHost {
  const open = new Map<ServedStream, string>()
  let emptied: (() => void)[] = []
  const onClosed = (served: ServedStream): void => {
    open.delete(served)
    if (open.size > 0) return
    for (const resolve of emptied) resolve()
    emptied = []
  }
  return {
    get openStreams() {
      return open.size
    },
    get applications() {
      const counts = new Map<string, number>()
      for (const application of open.values()) counts.set(application, (counts.get(application) ?? 0) + 1)
      return [...counts]
        .map(([application, streams]) => ({ application, streams }))
        .toSorted((a, b) => b.streams - a.streams)
        .slice(0, maxShownApplications)
    },
    accept(incoming, opening) {
      if (opening.subaccount !== context.subaccount || opening.locationId !== context.locationId) {
        context.log.warn({ subaccount: context.subaccount, locationId: context.locationId, code: 'PROTOCOL_VIOLATION' }, 'stream refused')
        return incoming.refuse()
      }
      const { traffic } = context.traces()
      const stream = traffic === undefined ? incoming : traceStream(incoming, traffic(opening.correlationId))
      const served =
        opening.kind === 'http' ? serveHttpStream(stream, opening, context, onClosed) : serveTcpStream(stream, opening, context, onClosed)
      open.set(served, opening.application ?? '')
    },
    async drain() {
      for (const served of open.keys()) served.drain()
      if (open.size > 0) await new Promise<void>((resolve) => emptied.push(resolve))
    },
    abort() {
      for (const served of open.keys()) served.abort()
    },
  }
}
