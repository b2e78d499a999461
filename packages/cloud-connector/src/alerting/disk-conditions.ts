import type { AlertCondition } from './alert.ts'

/** A file system that the connector writes to. */
export interface DiskPlace {
  /** `''`: the general one. */
  readonly purpose: '' | 'audit logs' | 'traces'
  readonly freeMb: number
  readonly ownMb: number
  readonly thresholdMb: number
}

/** Places with less free space than they should have. */
export function diskConditions(places: readonly DiskPlace[]): readonly AlertCondition[] {
  return places
    .filter(({ freeMb, thresholdMb }) => freeMb < thresholdMb)
    .map(({ freeMb, ownMb, purpose }) => {
      const what = purpose === '' ? 'Free disk space' : `Free disk space for ${purpose}`
      return {
        key: `disk ${purpose}`,
        category: 'freeDiskSpace',
        type: 'Disk',
        message: `${what} dropped below configured threshold — ${freeMb} MB are free (Currently used by Cloud Connector: ${ownMb} MB)`,
        recovery: `${what} is above the configured threshold again`,
        entity: '',
      }
    })
}
