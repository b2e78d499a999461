import type { ConnectivityEvent, EventSink } from '@sallyport/core'

/** Remembers the facts about recent requests, so that one request can be explained hop by hop. */
export interface EventLog extends EventSink {
  /** Facts of one request in the order they became true. */
  of(correlationId: string): readonly ConnectivityEvent[]
  recent(count: number): readonly ConnectivityEvent[]
}

/** `capacity` counts facts, not requests; the oldest go first. */
export function createEventLog(capacity: number): EventLog {
  const facts: ConnectivityEvent[] = []
  let next = 0
  const inOrder = (): readonly ConnectivityEvent[] => [...facts.slice(next), ...facts.slice(0, next)]
  return {
    wanted: true,
    emit(event) {
      facts[next] = event
      next = (next + 1) % capacity
    },
    of: (correlationId) => inOrder().filter((event) => 'correlationId' in event && event.correlationId === correlationId),
    recent: (count) => inOrder().slice(-count),
  }
}
