import { createHash } from 'node:crypto'
import type { AuditEntry } from '@sallyport/core'
import { type AuditedArea, changedAreas } from '../document/changed-areas.ts'
import type { HaSettings } from './ha-settings.ts'
import { fingerprintOf } from './peer-call.ts'

/** What counts by itself, such as terms and revisions, is no change of anybody's. */
const areas: readonly AuditedArea<HaSettings>[] = [
  ['Configuration', 'HighAvailabilityMaster', ({ master }) => master],
  ['Configuration', 'HighAvailabilityShadow', ({ shadow }) => shadow],
  [
    'Configuration',
    'HighAvailabilityPeer',
    ({ peer }) =>
      peer && {
        host: peer.host,
        port: peer.port,
        certificate: fingerprintOf(peer.certificate),
        // Tells two registrations of the same instance apart.
        registration: createHash('sha256').update(peer.secret).digest('hex').slice(0, 12),
      },
  ],
  ['Configuration', 'HighAvailabilityLooksAfterMaster', ({ looksAfter }) => looksAfter],
]

/** Lines of the audit log for a change of the settings of a pair. */
export function haChanges(before: HaSettings, after: HaSettings, user: string): readonly AuditEntry[] {
  return changedAreas(areas, { before, after, user })
}
