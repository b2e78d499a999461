import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import type { LogSettings, TrafficTraceSettings } from '@sallyport/admin-api'
import { type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import { subaccountFolder } from '../audit/audit-folder.ts'
import type { RequestRecord } from '../monitoring/request-record.ts'
import type { TrafficPermission } from './four-eyes-file.ts'
import { createTraceFile, type TraceFile } from './trace-file.ts'
import { formatHexDump, formatTraceLine } from './trace-line.ts'
import { createTraceLogger } from './trace-logger.ts'
import type { TracePayload } from './traced-stream.ts'

/** Everything that can be set about traces. */
export interface TraceSettings {
  readonly log: LogSettings
  readonly traffic: readonly (TraceHolder & TrafficTraceSettings)[]
}

/** Whose contents are traced. */
export interface TraceHolder {
  readonly subaccount: string
  readonly locationId: string
}

/** What the data path asks about one tunnel; each is `undefined` while it is off. */
export interface LinkTraces {
  readonly traffic: ((connection: string) => TracePayload) | undefined
  readonly snc: ((connection: string) => TracePayload) | undefined
  readonly cpic: { readonly level: number; readonly write: (connection: string, text: string) => void } | undefined
  readonly tls: ((system: string, outcome: TLSSocket | Error) => void) | undefined
}

/** Traces of a connector. */
export interface ConnectorTraces {
  readonly settings: TraceSettings
  /** What the TLS trace does; `settings.log.tlsTrace` is what it will do after a restart. */
  readonly isTlsTraceActive: boolean
  readonly folder: string
  /** Writes into the trace of the connector, and as before. */
  readonly log: Logger
  /** The same for libraries, with a level of their own. */
  readonly otherLog: Logger
  of(holder: TraceHolder): LinkTraces
  /** Writes a statistical record of a call: one line of JSON in `dsr.trc`, with the user and the path, without query and contents. */
  recordRequest(holder: TraceHolder, record: RequestRecord): void
  /**
   * Takes settings over, all of them or none. Streams that are open keep what they began with.
   *
   * @throws ConnectivityError `ACCESS_DENIED` when contents would be traced that were not, and a second person has not permitted it.
   */
  apply(next: TraceSettings): Promise<void>
  /** Trace files, newest first. */
  files(): Promise<readonly { readonly name: string; readonly bytes: number; readonly changedMs: number }[]>
  flushed(): Promise<void>
  close(): Promise<void>
}

const megabyte = 1024 * 1024

/** Opens the traces of a connector below a folder. What the permission forbids is off, whatever the settings say. */
export async function openConnectorTraces(options: {
  readonly folder: string
  readonly settings: TraceSettings
  /** See `readTrafficPermission`. */
  readonly permission: () => Promise<TrafficPermission>
  readonly clock: Clock
  readonly log: Logger
}): Promise<ConnectorTraces> {
  const { clock, folder, permission } = options
  let settings = options.settings
  const contents = new Map<string, TraceFile>()
  const rules = (): { readonly thresholdBytes: number; readonly cleanupDays: number } => ({
    thresholdBytes: settings.log.rolloverThreshold * megabyte,
    cleanupDays: settings.log.cleanup,
  })
  const open = (name: string): TraceFile => createTraceFile({ path: join(folder, name), rules, clock, log: options.log })
  const core = open('scc_core.trc')
  const isTlsTraceActive = settings.log.tlsTrace
  const logger = (name: string, level: () => LogSettings['sccLogLevel']): Logger =>
    createTraceLogger({ file: core, name, level, clock, next: options.log })
  const log = logger('cloud-connector', () => settings.log.sccLogLevel)
  const otherLog = logger('libraries', () => settings.log.otherLogLevel)

  const asked = permissionNeeded(undefined, settings)
  if (asked.length > 0) {
    const answer = await permission()
    if (!answer.allowed) {
      settings = withoutContents(settings)
      log.warn({ reason: answer.reason, off: asked }, 'traces of contents stay off')
    }
  }

  const fileFor = (name: string): TraceFile => {
    const known = contents.get(name) ?? open(name)
    contents.set(name, known)
    return known
  }
  const payloadTrace = (kind: string, { locationId, subaccount }: TraceHolder): LinkTraces['traffic'] => {
    const file = fileFor(`${kind}_${subaccountFolder(subaccount)}${locationId === '' ? '' : `_${subaccountFolder(locationId)}`}.trc`)
    return (connection) => (direction, bytes) => {
      const line = formatTraceLine(clock.now(), {
        level: 'TRACE',
        logger: kind,
        connection,
        message: `${direction}, ${bytes.length} bytes`,
      })
      file.write(line + formatHexDump(bytes))
    }
  }
  const cpicTrace = (level: number): LinkTraces['cpic'] => ({
    level,
    write(connection, text) {
      const [first = '', ...rows] = text.split('\n')
      const line = formatTraceLine(clock.now(), { level: 'TRACE', logger: 'CPIC', connection, message: first })
      fileFor('cpic.trc').write(line + (rows.length === 0 ? '' : rows.join('\n')))
    },
  })
  return {
    get settings() {
      return settings
    },
    isTlsTraceActive,
    folder,
    log,
    otherLog,
    of(holder) {
      const own = settings.traffic.find(
        ({ locationId, subaccount }) => subaccount === holder.subaccount && locationId === holder.locationId,
      )
      const { cpicTraceLevel } = settings.log
      return {
        traffic: own?.trafficTrace === true ? payloadTrace('traffic_trace', holder) : undefined,
        snc: own?.payloadSncTrace === true ? payloadTrace('snc_traffic_trace', holder) : undefined,
        cpic: cpicTraceLevel === 0 ? undefined : cpicTrace(cpicTraceLevel),
        tls: isTlsTraceActive
          ? (system, outcome) => otherLog.info({ virtualHost: system, ...tlsFacts(outcome) }, 'TLS handshake')
          : undefined,
      }
    },
    recordRequest({ locationId, subaccount }, { atMs, ...record }) {
      fileFor('dsr.trc').write(`${JSON.stringify({ at: new Date(atMs).toISOString(), subaccount, locationId, ...record })}\n`)
    },
    async apply(next) {
      if (permissionNeeded(settings, next).length > 0) {
        const answer = await permission()
        if (!answer.allowed) throw new ConnectivityError('ACCESS_DENIED', answer.reason)
      }
      settings = next
    },
    async files() {
      const names = await readdir(folder).catch((): string[] => [])
      const found = await Promise.all(
        names
          .filter((name) => /\.trc(?:\.\d+)?$/.test(name))
          .map(async (name) => {
            const { mtimeMs, size } = await stat(join(folder, name))
            return { name, bytes: size, changedMs: mtimeMs }
          }),
      )
      return found.toSorted((a, b) => b.changedMs - a.changedMs)
    },
    async flushed() {
      await Promise.all([core, ...contents.values()].map((file) => file.flushed()))
    },
    async close() {
      await Promise.all([core, ...contents.values()].map((file) => file.close()))
    },
  }
}

/** Which contents would be traced that were not before. */
function permissionNeeded(before: TraceSettings | undefined, next: TraceSettings): readonly string[] {
  const needed = next.log.cpicTraceLevel === 3 && before?.log.cpicTraceLevel !== 3 ? ['cpicTraceLevel'] : []
  for (const { locationId, payloadSncTrace, subaccount, trafficTrace } of next.traffic) {
    const known = before?.traffic.find((each) => each.subaccount === subaccount && each.locationId === locationId)
    if (trafficTrace && known?.trafficTrace !== true) needed.push('trafficTrace')
    if (payloadSncTrace && known?.payloadSncTrace !== true) needed.push('payloadSncTrace')
  }
  return needed
}

function withoutContents({ log, traffic }: TraceSettings): TraceSettings {
  return {
    log: { ...log, cpicTraceLevel: log.cpicTraceLevel === 3 ? 2 : log.cpicTraceLevel },
    traffic: traffic.map((each) => ({ ...each, trafficTrace: false, payloadSncTrace: false })),
  }
}

/** What a handshake has led to. Nothing in it is secret. */
function tlsFacts(outcome: TLSSocket | Error): Readonly<Record<string, unknown>> {
  if (outcome instanceof Error) return { failed: (outcome as NodeJS.ErrnoException).code ?? outcome.message }
  const { fingerprint256, issuer, subject } = outcome.getPeerX509Certificate() ?? {}
  return {
    protocol: outcome.getProtocol(),
    cipher: outcome.getCipher().name,
    alpn: outcome.alpnProtocol,
    resumed: outcome.isSessionReused(),
    peer: subject?.replaceAll('\n', ','),
    issuer: issuer?.replaceAll('\n', ','),
    fingerprint: fingerprint256,
  }
}
