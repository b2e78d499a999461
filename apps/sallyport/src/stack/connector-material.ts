import { createSecretKey, hkdfSync, randomUUID } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createMaterialFolder, type MaterialStore } from '@sallyport/cloud-connector'
import { createSealer } from '@sallyport/store'
import type { DataFolder } from './data-folder.ts'

/** What one installation of the connector keeps on disk, below `connector/` of the data folder. */
export interface ConnectorMaterial {
  /** Identity of the installation; made on first use. */
  readonly connectorId: string
  readonly store: MaterialStore
  readonly auditFolder: string
  /** Chains the audit log; derived from the machine's sealing key, so that only this machine can extend it. */
  readonly auditKey: KeyObject
}

export function openConnectorMaterial(folder: DataFolder): ConnectorMaterial {
  const connectorId = (folder.read('connector', 'id') ?? folder.writeOnce(['connector', 'id'], `${randomUUID()}\n`)).trim()
  const sealKey = folder.sealKey()
  return {
    connectorId,
    store: createMaterialFolder({ folder: folder.file('connector', 'material'), sealer: createSealer({ current: sealKey }) }),
    auditFolder: folder.file('connector', 'audit'),
    auditKey: auditKeyOf(folder, 'connector'),
  }
}

/** Key of an audit log: HKDF-SHA-256 of the sealing key, one per log. */
export function auditKeyOf(folder: DataFolder, log: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', folder.sealKey(), Buffer.alloc(0), `audit log ${log}`, 32)))
}
