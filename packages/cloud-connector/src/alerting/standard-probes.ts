import type { CloudConnector } from '../cloud-connector.ts'
import { hardwareSampleMs } from '../limits.ts'
import type { OwnedCertificate } from '../monitoring/certificate-status.ts'
import type { HardwareMonitor } from '../monitoring/hardware-monitor.ts'
import type { MachineProbe } from '../monitoring/machine-probe.ts'
import { certificateConditions } from './certificate-conditions.ts'
import { channelConditions } from './channel-conditions.ts'
import { cpuConditions } from './cpu-conditions.ts'
import { type DiskPlace, diskConditions } from './disk-conditions.ts'
import type { HealthProbe } from './health-watch.ts'
import { tunnelConditions } from './tunnel-conditions.ts'

/** What every connector is watched for: disk, load, certificates, tunnels and service channels. */
export function standardProbes(options: {
  readonly connector: Pick<CloudConnector, 'status' | 'certificates'>
  readonly machine: MachineProbe
  readonly hardware: Pick<HardwareMonitor, 'loadSince'>
  readonly uiCertificate: () => OwnedCertificate | undefined
  /** Where audit logs and traces are, when that is a place of its own. */
  readonly auditDisk?: () => ReturnType<MachineProbe['disk']>
  readonly traceDisk?: () => ReturnType<MachineProbe['disk']>
}): readonly HealthProbe[] {
  const { auditDisk, connector, hardware, machine, traceDisk } = options
  return [
    {
      kind: 'disk',
      async look({ thresholds }) {
        const { freeDiskSpaceMb, freeDiscForAuditLogMb = freeDiskSpaceMb, freeDiscForTraceMb = freeDiskSpaceMb } = thresholds
        const place = async (purpose: DiskPlace['purpose'], probe: typeof machine.disk, thresholdMb: number): Promise<DiskPlace> => {
          const { free, own } = await probe()
          return { purpose, freeMb: free, ownMb: own, thresholdMb }
        }
        return diskConditions(
          await Promise.all([
            place('', machine.disk, freeDiskSpaceMb),
            ...(auditDisk === undefined ? [] : [place('audit logs', auditDisk, freeDiscForAuditLogMb)]),
            ...(traceDisk === undefined ? [] : [place('traces', traceDisk, freeDiscForTraceMb)]),
          ]),
        )
      },
    },
    {
      kind: 'cpu',
      look({ thresholds: { cpuLoad: thresholdPercent, cpuLoadViolationToleranceSec: toleranceSeconds } }, nowMs) {
        const samples = hardware.loadSince(nowMs - toleranceSeconds * 1000 - 4 * hardwareSampleMs)
        return cpuConditions(samples, { thresholdPercent, toleranceSeconds, stepMs: hardwareSampleMs })
      },
    },
    {
      kind: 'certificate',
      look({ thresholds: { certificateValidityDays: thresholdDays } }, nowMs) {
        const ui = options.uiCertificate()
        return certificateConditions([...(ui === undefined ? [] : [ui]), ...connector.certificates], { nowMs, thresholdDays })
      },
    },
    { kind: 'tunnel', look: () => tunnelConditions(connector.status.links) },
    { kind: 'channel', look: () => channelConditions(connector.status.links) },
  ]
}
