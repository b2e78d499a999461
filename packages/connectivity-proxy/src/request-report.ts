import { randomUUID } from 'node:crypto'
import type { Clock, EventSink, Logger } from '@sallyport/core'
import type { Refusal } from './refusal.ts'

/** What a request is for. */
export interface RequestTarget {
  readonly tenant: string
  readonly locationId: string
  readonly host: string
  readonly port: number
}

/** Tells the world what became of the requests of one connection. Costs next to nothing while nobody listens. */
export interface RequestReport {
  /** One id per connection: its requests come one after the other, and the connector learns it with the stream. */
  readonly correlationId: string
  started(): void
  accepted(target: RequestTarget, client: string): void
  streamOpened(target: RequestTarget, tunnelId: string, streamId: number): void
  refused(refusal: Refusal, target: RequestTarget | undefined): void
  finished(target: RequestTarget, bytesToBackend: number, bytesToClient: number): void
}

export function createRequestReport(options: {
  readonly protocol: 'http' | 'socks5'
  readonly clock: Clock
  readonly events: EventSink
  readonly log: Logger
  readonly onRefused: (code: string) => void
}): RequestReport {
  const { protocol, clock, events, log } = options
  let correlationId: string | undefined
  let startedAtMs = 0

  function id(): string {
    return (correlationId ??= randomUUID())
  }
  function facts(target: RequestTarget) {
    const { tenant: subaccount, locationId, host: virtualHost, port: virtualPort } = target
    return { atMs: clock.now(), correlationId: id(), subaccount, locationId, virtualHost, virtualPort }
  }

  return {
    get correlationId() {
      return id()
    },
    started() {
      if (events.wanted) startedAtMs = clock.now()
    },
    accepted(target, client) {
      if (events.wanted) events.emit({ type: 'proxy-accepted', ...facts(target), protocol, client, durationMs: clock.now() - startedAtMs })
    },
    streamOpened(target, tunnelId, streamId) {
      if (events.wanted) events.emit({ type: 'stream-opened', ...facts(target), tunnelId, streamId, durationMs: clock.now() - startedAtMs })
    },
    refused(refusal, target) {
      const { code, status, text } = refusal
      options.onRefused(code)
      log.debug({ correlationId: id(), code, status }, 'a request was refused')
      if (!events.wanted) return
      const known = target === undefined ? { atMs: clock.now(), correlationId: id() } : facts(target)
      events.emit({ type: 'proxy-refused', ...known, protocol, status, code, message: text })
    },
    finished(target, bytesToBackend, bytesToClient) {
      if (events.wanted) {
        events.emit({ type: 'request-finished', ...facts(target), bytesToBackend, bytesToClient, durationMs: clock.now() - startedAtMs })
      }
    },
  }
}
