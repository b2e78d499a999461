import type { AdministeredEntity, EditedCollection } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { type LevelOptions, levelText } from './administered-level.ts'

/** What commands for destinations and for fragments have of their own. */
export interface EditedKind {
  readonly command: 'destination' | 'fragment'
  readonly collection: EditedCollection
  readonly nameProperty: 'Name' | 'FragmentName'
}

/** The two kinds. */
export const destinations: EditedKind = { command: 'destination', collection: 'destinations', nameProperty: 'Name' }
export const fragments: EditedKind = { command: 'fragment', collection: 'fragments', nameProperty: 'FragmentName' }

/** There is none of that name. */
export function notFound({ command }: EditedKind, name: string, options: LevelOptions): ConnectivityError {
  const code = command === 'destination' ? 'DESTINATION_NOT_FOUND' : 'NOT_FOUND'
  return new ConnectivityError(code, `there is no ${command} "${name}" on the ${levelText(options)}`, {
    details: { next: `sallyport ${command} list` },
  })
}

/** One of the names is not there; without names, nothing is. */
export function nothingToExport(kind: EditedKind, names: readonly string[], options: LevelOptions): ConnectivityError {
  const [only] = names
  if (only !== undefined && names.length === 1) return notFound(kind, only, options)
  const { collection, command } = kind
  const what =
    only === undefined ? `there are no ${collection}` : `not all of ${names.map((name) => `"${name}"`).join(', ')} are ${collection}`
  return new ConnectivityError('NOT_FOUND', `nothing was exported: ${what} on the ${levelText(options)}`, {
    details: { next: `sallyport ${command} list` },
  })
}

/** The properties as they are shown: secrets are there and hidden. */
export function shownProperties({ properties, secrets }: AdministeredEntity): Readonly<Record<string, string>> {
  return { ...properties, ...Object.fromEntries(secrets.map((name) => [name, '(hidden)'])) }
}
