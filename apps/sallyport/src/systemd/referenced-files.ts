import { basename, dirname, join, resolve } from 'node:path'
import { ConnectivityError } from '@sallyport/core'
import type { Configuration } from '../configuration/configuration.ts'

/**
 * Files that a configuration refers to, absolute and each once. Systemd hands over files without folders, and the service finds them beside its copy of the
 * configuration; so they have to lie beside it.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` for one that lies elsewhere.
 */
export function referencedFiles({ path: configuration, ...content }: Configuration): readonly string[] {
  const folder = dirname(configuration)
  const names = new Set<string>()
  for (const reference of referencesIn(content)) {
    const path = resolve(folder, reference)
    // An absolute path would be looked up as it stands, in folders that the service does not see.
    if (dirname(path) !== folder || reference.startsWith('/') || basename(path) === basename(configuration))
      throw new ConnectivityError('CONFIGURATION_INVALID', `${configuration} refers to ${reference}, which the service cannot be given`, {
        details: { next: `put the file beside ${basename(configuration)}, and write its name alone` },
      })
    names.add(basename(path))
  }
  return [...names].toSorted().map((name) => join(folder, name))
}

/** Every `{ file }`, wherever it stands. */
function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  if ('file' in value && typeof value.file === 'string' && Object.keys(value).length === 1) return [value.file]
  return Object.values(value).flatMap(referencesIn)
}
