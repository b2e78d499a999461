import { randomUUID } from 'node:crypto'
import type { Clock, EventSink, Logger } from '@sallyport/core'
import type { RefusalAudit } from './refusal-audit.ts'
import type { Refusal } from './refusal.ts'

/** What a request is for. */
export interface RequestTarget {
  readonly tenant: string
  readonly locationId: string
  readonly host: string
  readonly port: number
}

/** What a listener gives to the reports of its connections. */
export interface ReportContext {
  readonly clock: Clock
  readonly events: EventSink
  readonly log: Logger
  /** Gets every refusal. */
  readonly audit: RefusalAudit
  readonly onRefused: (code: string) => void
}

/** Headers of the platform's components and of SAP's clients, in the order of precedence. */
const idHeaders = ['x-correlationid', 'x-correlation-id', 'x-request-id', 'x-vcap-request-id'] as const
/** Ids end up in logs and audit lines. */
const usableId = /^[A-Za-z0-9._-]{8,64}$/

/** Tells the world what became of the requests of one connection. Costs next to nothing while nobody listens. */
export class RequestReport {
  private readonly protocol: 'http' | 'socks5'
  private readonly context: ReportContext
  private id: string | undefined
  private startedAtMs = 0

  constructor(protocol: 'http' | 'socks5', context: ReportContext) {
    this.protocol = protocol
    this.context = context
  }

  /** One id per connection: its requests come one after the other, and the connector learns it with the stream. */
  get correlationId(): string {
    return (this.id ??= randomUUID())
  }

  /** Takes over the id that an application sends with the first request of a connection, so that both sides' logs can be joined. */
  adopt({ names, values }: { readonly names: readonly string[]; readonly values: readonly string[] }): void {
    if (this.id !== undefined) return
    for (const header of idHeaders) {
      const value = values[names.indexOf(header)]
      if (value !== undefined && usableId.test(value)) {
        this.id = value
        return
      }
    }
  }

  started(): void {
    if (this.context.events.wanted) this.startedAtMs = this.context.clock.now()
  }

  accepted(target: RequestTarget, client: string): void {
    if (!this.context.events.wanted) return
    this.context.events.emit({
      type: 'proxy-accepted',
      ...this.facts(target),
      protocol: this.protocol,
      client,
      durationMs: this.durationMs(),
    })
  }

  streamOpened(target: RequestTarget, tunnelId: string, streamId: number): void {
    if (!this.context.events.wanted) return
    this.context.events.emit({ type: 'stream-opened', ...this.facts(target), tunnelId, streamId, durationMs: this.durationMs() })
  }

  refused(refusal: Refusal, target: RequestTarget | undefined): void {
    const { audit, clock, events, log } = this.context
    const { correlationId, protocol } = this
    const { code, status, text, reason = text } = refusal
    this.context.onRefused(code)
    const message = `${protocol} ${status} ${reason}`
    const entry = { type: 'access-denied', subaccount: target?.tenant ?? '', user: '', message, correlationId } as const
    audit.write(entry, JSON.stringify([target?.locationId, message]))
    log.debug({ correlationId, code, status, reason }, 'a request was refused')
    if (!events.wanted) return
    const known = target === undefined ? { atMs: clock.now(), correlationId } : this.facts(target)
    events.emit({ type: 'proxy-refused', ...known, protocol, status, code, message: reason })
  }

  finished(target: RequestTarget, bytesToBackend: number, bytesToClient: number): void {
    if (!this.context.events.wanted) return
    const durationMs = this.durationMs()
    this.context.events.emit({ type: 'request-finished', ...this.facts(target), bytesToBackend, bytesToClient, durationMs })
  }

  private durationMs(): number {
    return this.context.clock.now() - this.startedAtMs
  }

  private facts(target: RequestTarget) {
    const { tenant: subaccount, locationId, host: virtualHost, port: virtualPort } = target
    return { atMs: this.context.clock.now(), correlationId: this.correlationId, subaccount, locationId, virtualHost, virtualPort }
  }
}
