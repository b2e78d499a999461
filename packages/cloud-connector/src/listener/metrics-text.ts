import { bucketBoundsMs } from '../monitoring/performance-buckets.ts'
import type { MonitoringSources } from './monitoring-routes.ts'

/** A value with the labels that tell it from others of its name. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Behind the name: `_bucket`, `_sum`, `_count` of histograms. */
  readonly suffix?: string
}

/** Content type of the text format of Prometheus. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * `GET /metrics`: what the monitoring interfaces show, for Prometheus. Labels name subaccounts, virtual hosts and certificates, never users. Counters begin anew
 * with a restart or when an administrator deletes them.
 */
export async function renderMetrics({ alerts, connector, machine }: MonitoringSources): Promise<string> {
  const { certificates, status, traffic } = connector
  const [memory, disk] = await Promise.all([machine.memory(), machine.disk()])
  const ofLinks = (pick: (link: (typeof status.links)[number]) => number | undefined): readonly Sample[] =>
    status.links.flatMap((link) => {
      const value = pick(link)
      return value === undefined ? [] : [{ labels: labelsOf(link), value }]
    })
  const usage = traffic.flatMap((each) =>
    each.usage.virtualHosts.map((host) => ({ ...host, labels: { ...labelsOf(each), ...mappingLabels(host) } })),
  )
  return [
    family(
      'tunnel_up',
      'gauge',
      'Whether the tunnel is open.',
      ofLinks(({ tunnel }) => (tunnel.kind === 'ready' ? 1 : 0)),
    ),
    family(
      'tunnel_round_trip_seconds',
      'gauge',
      'Round-trip time of the tunnel.',
      ofLinks(({ roundTripMs }) => (roundTripMs === undefined ? undefined : roundTripMs / 1000)),
    ),
    family(
      'open_streams',
      'gauge',
      'Connections of applications.',
      ofLinks(({ openStreams }) => openStreams),
    ),
    family('backend_connections', 'gauge', 'Connections to backends.', backendConnections(connector.backends)),
    family('call_duration_seconds', 'histogram', 'Calls of HTTP and RFC by their duration.', durations(connector.backends)),
    family(
      'calls_total',
      'counter',
      'Calls of HTTP and RFC, connections of other protocols.',
      usage.map(({ calls, labels }) => ({ labels, value: calls })),
    ),
    family(
      'received_bytes_total',
      'counter',
      'Bytes from the cloud.',
      usage.map(({ bytesReceived, labels }) => ({ labels, value: bytesReceived })),
    ),
    family(
      'sent_bytes_total',
      'counter',
      'Bytes to the cloud.',
      usage.map(({ bytesSent, labels }) => ({ labels, value: bytesSent })),
    ),
    family(
      'certificate_not_after_seconds',
      'gauge',
      'When a certificate of the connector expires, since 1970.',
      certificates.map(({ locationId, notAfterMs, serialNumber, subaccount, type }) => ({
        labels: { type, serial: serialNumber, subaccount, location_id: locationId },
        value: notAfterMs / 1000,
      })),
    ),
    family(
      'alerts',
      'gauge',
      'Alerts about what is wrong now.',
      countBy(
        alerts()
          .filter(({ status: is }) => is === 'Warning')
          .map(({ type }) => type),
      ),
    ),
    family('heap_used_bytes', 'gauge', 'Memory of the process that is in use.', [{ labels: {}, value: memory.heapKb.used * 1024 }]),
    family('disk_free_bytes', 'gauge', 'Free space where the connector writes.', [{ labels: {}, value: disk.free * 1024 * 1024 }]),
  ].join('')
}

function family(name: string, type: 'gauge' | 'counter' | 'histogram', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return ''
  const full = `sallyport_connector_${name}`
  const lines = samples.map(({ labels, suffix = '', value }) => `${full}${suffix}${formatLabels(labels)} ${value}`)
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('\n')}\n`
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`)
  return all.length === 0 ? '' : `{${all.join(',')}}`
}

function labelsOf(link: { readonly subaccount: string; readonly locationId: string }): Readonly<Record<string, string>> {
  return { subaccount: link.subaccount, location_id: link.locationId }
}

function mappingLabels({ protocol, virtual }: { readonly virtual: string; readonly protocol: string }): Readonly<Record<string, string>> {
  return { virtual_host: virtual, protocol }
}

function backendConnections(backends: MonitoringSources['connector']['backends']): readonly Sample[] {
  return backends.flatMap((each) =>
    each.mappings.flatMap((mapping) => {
      const labels = { ...labelsOf(each), ...mappingLabels(mapping) }
      return [
        { labels: { ...labels, state: 'active' }, value: mapping.active },
        { labels: { ...labels, state: 'idle' }, value: mapping.idle },
      ]
    }),
  )
}

/** Buckets of Prometheus hold those before them too. */
function durations(backends: MonitoringSources['connector']['backends']): readonly Sample[] {
  return backends.flatMap((each) =>
    each.mappings.flatMap((mapping): readonly Sample[] => {
      const labels = { ...labelsOf(each), ...mappingLabels(mapping) }
      let count = 0
      const buckets = mapping.buckets.map((calls, at): Sample => {
        count += calls
        const bound = bucketBoundsMs[at]
        return { suffix: '_bucket', labels: { ...labels, le: bound === undefined ? '+Inf' : String(bound / 1000) }, value: count }
      })
      return [...buckets, { suffix: '_sum', labels, value: mapping.durationMs / 1000 }, { suffix: '_count', labels, value: count }]
    }),
  )
}

function countBy(types: readonly string[]): readonly Sample[] {
  return [...new Set(types)].map((type) => ({ labels: { type }, value: types.filter((each) => each === type).length }))
}
