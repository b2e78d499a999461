import type { IncomingHttpHeaders } from 'node:http'
import { maxCorrelationIdLength } from './limits.ts'
import { type RandomSource, randomUuid } from './random.ts'

/** Headers that carry the id of a request through all parts, in the order in which they are believed. */
const headers = ['x-vcap-request-id', 'x-correlationid', 'x-correlation-id', 'x-request-id'] as const

/** The correlation id that a request brings, if it is one that may stand in logs and headers as it is; else a new one. */
export function correlationIdOf(requestHeaders: IncomingHttpHeaders, random: RandomSource): string {
  for (const header of headers) {
    const value = requestHeaders[header]
    if (typeof value === 'string' && value.length <= maxCorrelationIdLength && /^[\w.:-]+$/.test(value)) return value
  }
  return randomUuid(random)
}
