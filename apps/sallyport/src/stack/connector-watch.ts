import {
  type AlertSettings,
  type CloudConnector,
  createMachineProbe,
  type HardwareMonitor,
  type HealthProbe,
  type HealthWatch,
  type MachineProbe,
  type MaterialStore,
  ownedCertificateOf,
  standardProbes,
  startHardwareMonitor,
  startHealthWatch,
} from '@sallyport/cloud-connector'
import type { Clock, Logger } from '@sallyport/core'

/** What looks at the connector from outside its data path. */
export interface ConnectorWatch {
  readonly machine: MachineProbe
  readonly hardware: HardwareMonitor
  readonly health: HealthWatch
  close(): Promise<void>
}

/** Begins to look at the machine, and at what can be wrong with the connector. */
export async function startConnectorWatch(options: {
  readonly connector: CloudConnector
  /** Where the connector keeps what it writes. */
  readonly folder: string
  readonly material: MaterialStore
  readonly settings: () => AlertSettings
  /** What else can be wrong. */
  readonly probes: readonly HealthProbe[]
  /** PEM of the certificate of the administration listener. */
  readonly uiCertificate: () => string
  readonly isMaster: () => boolean
  readonly clock: Clock
  readonly log: Logger
}): Promise<ConnectorWatch> {
  const { clock, connector, log, material } = options
  const machine = createMachineProbe({ folder: options.folder })
  // Each has a probe of its own: the load is measured since the last question.
  const hardware = await startHardwareMonitor({ machine: createMachineProbe({ folder: options.folder }), material, clock, log })
  const health = await startHealthWatch({
    probes: [
      ...standardProbes({ connector, machine, hardware, uiCertificate: () => ownedCertificateOf('UI', options.uiCertificate()) }),
      ...options.probes,
    ],
    settings: options.settings,
    material,
    clock,
    isMaster: options.isMaster,
    log,
  })
  return {
    machine,
    hardware,
    health,
    async close() {
      await health.close()
      await hardware.close()
    },
  }
}
