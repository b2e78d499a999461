import type { AuditEntry } from '@sallyport/core'

/** What of some settings is told to the audit log: the original's category (cloud-connector.md §7.1), its name, and what may be told of it. */
export type AuditedArea<Settings> = readonly [category: string, what: string, read: (settings: Settings) => unknown]

/** Lines of the audit log for the areas in which the settings have changed, with old and new value. */
export function changedAreas<Settings>(
  areas: readonly AuditedArea<Settings>[],
  { after, before, user }: { readonly before: Settings; readonly after: Settings; readonly user: string },
): readonly AuditEntry[] {
  return areas.flatMap(([category, what, read]) => {
    const [was, is] = [JSON.stringify(read(before)) ?? '{}', JSON.stringify(read(after)) ?? '{}']
    return was === is ? [] : [configurationChange(category, user, `User ${user} changed parameter ${what} from ${was} to ${is}`)]
  })
}

/** A line of the audit log for a change of what no subaccount owns. */
export function configurationChange(category: string, user: string, message: string): AuditEntry {
  return { type: 'configuration-changed', category, subaccount: '', user, message }
}
