import type { HttpOpening, PrincipalMessage, StreamOpening, TcpOpening, WirePrincipal } from '@sallyport/tunnel'
import { maxTokenBytes } from './limits.ts'

type Fields = Readonly<Record<string, unknown>>

/** Reads the first message of a stream, or `undefined` when it is not one: the stream is then refused. */
export function tryParseStreamOpening(message: Buffer): StreamOpening | undefined {
  const fields = tryParseObject(message)
  if (fields === undefined) return undefined
  const { correlationId, kind, locationId, subaccount, virtualHost, virtualPort } = fields
  if (typeof subaccount !== 'string' || typeof locationId !== 'string' || typeof correlationId !== 'string') return undefined
  if (typeof virtualHost !== 'string' || virtualHost === '' || !isPort(virtualPort)) return undefined
  // The proxy lower-cases already; the look-up depends on it, so it does not depend on the proxy.
  const common = { subaccount, locationId, correlationId: correlationId.slice(0, 128), virtualHost: virtualHost.toLowerCase(), virtualPort }
  if (kind === 'tcp') {
    const { timeoutMs } = fields
    if (typeof timeoutMs !== 'number' || !(timeoutMs > 0)) return undefined
    return { kind, ...common, timeoutMs } satisfies TcpOpening
  }
  if (kind !== 'http') return undefined
  if (fields['principal'] === undefined) return { kind, ...common } satisfies HttpOpening
  const principal = tryParsePrincipal(fields['principal'])
  return principal === undefined ? undefined : ({ kind, ...common, principal } satisfies HttpOpening)
}

/** Reads a change of the principal between two requests. */
export function tryParsePrincipalMessage(message: Buffer): PrincipalMessage | undefined {
  const fields = tryParseObject(message)
  if (fields?.['kind'] !== 'principal' || typeof fields['correlationId'] !== 'string') return undefined
  const correlationId = fields['correlationId'].slice(0, 128)
  if (fields['principal'] === null) return { kind: 'principal', principal: null, correlationId }
  const principal = tryParsePrincipal(fields['principal'])
  return principal === undefined ? undefined : { kind: 'principal', principal, correlationId }
}

/** Any message: one JSON object. */
export function tryParseObject(message: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(message.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
  } catch {
    // Not JSON: the same as any other shape that is not known.
    return undefined
  }
}

function tryParsePrincipal(value: unknown): WirePrincipal | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { kind, token } = value as Fields
  if ((kind !== 'business' && kind !== 'technical') || typeof token !== 'string' || token.length > maxTokenBytes) return undefined
  return { kind, token }
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535
}
