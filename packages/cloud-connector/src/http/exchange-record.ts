import type { LinkContext } from '../link-context.ts'
import { type RequestRecord, splitDuration } from '../monitoring/request-record.ts'
import type { Exchange } from './exchange.ts'
import { reasonPhrase } from './refusals.ts'

/** Counts an exchange that is over in the performance monitor and in the usage of its mapping. One that no mapping admits is in the audit log alone. */
export function countExchange(context: LinkContext, exchange: Exchange, nowMs: number): void {
  const { route, answer, bytesToBackend, bytesToClient } = exchange
  if (route === undefined) return
  const monitor = context.monitor.of(route.mapping)
  monitor.usage.add(nowMs, 1, bytesToBackend, bytesToClient, route.resource)
  monitor.record(recordOf(exchange, route, nowMs), answer !== undefined)
}

function recordOf(exchange: Exchange, { mapping }: NonNullable<Exchange['route']>, nowMs: number): RequestRecord {
  const { answer, refused, startMs, timing } = exchange
  // After an upgrade nobody knows what a call is: what took time is the way to it.
  const endMs = timing.upgradedAtMs === 0 ? nowMs : timing.upgradedAtMs
  const bodyMs = timing.sentAtMs === 0 ? 0 : Math.max(0, timing.bodyAtMs - timing.sentAtMs)
  const latencyMs = bodyMs + timing.stalledMs
  const { status, reason } = statusOf(answer, refused, timing.upgradedAtMs)
  return {
    atMs: startMs,
    protocol: mapping.protocol,
    virtual: mapping.virtualText,
    internal: mapping.internalText,
    resource: exchange.path,
    user: exchange.user,
    bytesReceived: exchange.bytesToBackend,
    bytesSent: exchange.bytesToClient,
    status,
    reason,
    times: splitDuration({
      totalMs: endMs - startMs,
      openMs: timing.openMs,
      validateMs: timing.validateMs,
      generateMs: timing.generateMs,
      latencyMs,
      externalMs: timing.sentAtMs === 0 ? 0 : endMs - timing.sentAtMs - latencyMs,
    }),
  }
}

function statusOf(
  answer: Exchange['answer'],
  refused: Exchange['refused'],
  upgradedAtMs: number,
): { readonly status: number | undefined; readonly reason: string } {
  if (upgradedAtMs !== 0) return { status: 101, reason: 'Switching Protocols' }
  if (answer !== undefined) return { status: answer.status, reason: answer.reason }
  if (refused !== undefined) return { status: refused.status, reason: reasonPhrase(refused.status) }
  return { status: undefined, reason: '' }
}
