import type { ConnectivityEvent } from '@sallyport/core'

/** One step of a request on its way from the application to the backend. */
export interface Hop {
  readonly name: 'token' | 'destination' | 'proxy' | 'tunnel' | 'access' | 'principal' | 'backend'
  readonly ok: boolean
  /** One line per entry; the first one stands beside the name. */
  readonly lines: readonly string[]
  readonly durationMs?: number
  /** Of a hop that failed: the situation, as far as it is known. */
  readonly code?: string
}

/** What the hops that only the proxy and the connector know looked like, from the facts they reported. */
export function hopsOf(events: readonly ConnectivityEvent[]): readonly Hop[] {
  return events.flatMap((event) => hopOf(event) ?? []).toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
}

const order: readonly Hop['name'][] = ['token', 'destination', 'proxy', 'tunnel', 'access', 'principal', 'backend']

function hopOf(event: ConnectivityEvent): Hop | undefined {
  switch (event.type) {
    case 'proxy-accepted':
      return {
        name: 'proxy',
        ok: true,
        lines: [`${event.protocol}   tenant ${event.subaccount} · location "${event.locationId}" · token of ${event.client} ok`],
        durationMs: event.durationMs,
      }
    case 'proxy-refused':
      return { name: 'proxy', ok: false, lines: [`${event.status} ${event.message}`], code: event.code }
    case 'stream-opened':
      return {
        name: 'tunnel',
        ok: true,
        lines: [`connector "${event.locationId === '' ? 'default' : event.locationId}"  stream ${event.streamId}`],
        durationMs: event.durationMs,
      }
    case 'access-decided':
      return accessHop(event)
    case 'principal-issued':
      return {
        name: 'principal',
        ok: true,
        lines: [
          `X.509  ${event.subject}, valid ${Math.round(event.validitySeconds / 60)} min, issued by "${event.issuer}"${event.cached ? ', from the cache' : ''}`,
        ],
        durationMs: event.durationMs,
      }
    case 'principal-refused':
      return { name: 'principal', ok: false, lines: [event.message], code: event.code }
    case 'backend-answered':
      return {
        name: 'backend',
        ok: true,
        lines: [event.status === undefined ? 'connected' : `${event.status}`],
        durationMs: event.durationMs,
      }
    case 'backend-failed':
      return { name: 'backend', ok: false, lines: [event.message], durationMs: event.durationMs, code: event.code }
    default:
      return undefined
  }
}

function accessHop(event: Extract<ConnectivityEvent, { type: 'access-decided' }>): Hop {
  const system = `${event.virtualHost}:${event.virtualPort}`
  if (event.allowed) {
    const resource =
      event.resource === undefined
        ? ''
        : ` · resource ${event.resource} (${event.exactMatchOnly === true ? 'exact' : 'path and sub-paths'})`
    return { name: 'access', ok: true, lines: [`${system} → ${event.internalAddress ?? ''}${resource}`] }
  }
  const lines = [event.internalAddress === undefined || event.path === undefined ? event.reason : `${event.reason}: ${event.path}`]
  if (event.internalAddress !== undefined) lines.push(`admitted: ${event.admitted.length === 0 ? 'nothing' : event.admitted.join(', ')}`)
  lines.push(
    event.internalAddress === undefined
      ? `fix: sallyport mapping add ${system} <http://internal host:port>`
      : `fix: sallyport resource add ${system} ${event.path ?? '/'}`,
  )
  return { name: 'access', ok: false, lines, code: 'ACCESS_DENIED' }
}

/** The screen of `sallyport curl`. `colour` marks the failed hop. */
export function formatHops(
  hops: readonly Hop[],
  mark: { readonly bad: (text: string) => string; readonly dim: (text: string) => string },
): string {
  const width = 76
  return hops
    .map((hop, index) => {
      const [first = '', ...more] = hop.lines
      const head = `  ${index + 1} ${hop.name.padEnd(12)} ${hop.ok ? '' : `${mark.bad('✖')} `}${first}`
      const time =
        hop.durationMs === undefined ? '' : `${' '.repeat(Math.max(1, width - head.length))}${mark.dim(formatDuration(hop.durationMs))}`
      return [`${head}${time}`, ...more.map((line) => `${' '.repeat(19)}${line}`)].join('\n')
    })
    .join('\n')
}

function formatDuration(durationMs: number): string {
  return durationMs < 10 ? `${Math.max(0.1, durationMs).toFixed(1)} ms` : `${Math.round(durationMs)} ms`
}
