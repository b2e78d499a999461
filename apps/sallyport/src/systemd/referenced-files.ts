import { statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { ConnectivityError } from '@sallyport/core'
import type { Configuration } from '../configuration/configuration.ts'
import { configurationCredential } from './connector-unit.ts'
import { maxCredentialBytes } from './limits.ts'

/**
 * Files that a configuration refers to, absolute and each once. Systemd hands over files without folders, and the service finds them beside its copy of the
 * configuration; so they have to lie beside it, under names that mean nothing else in a unit.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` for one that lies elsewhere or has another name, and for more than a service can be handed over.
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
    requireCredentialName(configuration, basename(path))
    names.add(basename(path))
  }
  const files = [...names].toSorted().map((name) => join(folder, name))
  requireRoom(configuration, files)
  return files
}

/** Whatever else a path has might end its line in the unit, and begin one that systemd obeys as root. */
function requireCredentialName(configuration: string, name: string): void {
  if (/^[\w.-]{1,255}$/.test(name) && name !== configurationCredential) return
  throw new ConnectivityError('CONFIGURATION_INVALID', `${configuration} refers to ${JSON.stringify(name)}, which cannot be a credential`, {
    details: { next: `rename the file: letters, digits, ".", "_" and "-", at most 255, and not ${configurationCredential}` },
  })
}

/** Systemd counts names, too. A file that is not there yet counts when the service starts. */
function requireRoom(configuration: string, files: readonly string[]): void {
  const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
  const sizes = files.map((file) => basename(file).length + sizeOf(file))
  const bytes = sizes.reduce((all, size) => all + size, configurationCredential.length + sizeOf(configuration))
  if (bytes <= maxCredentialBytes) return
  const largest = files[sizes.indexOf(Math.max(...sizes))]
  throw new ConnectivityError(
    'CONFIGURATION_INVALID',
    `${configuration} and the files that it refers to have ${bytes} bytes; systemd hands over ${maxCredentialBytes}`,
    {
      details: {
        next: `${largest === undefined ? 'shorten it' : `make them smaller, first ${basename(largest)}`}, or let the connector be administered, without --config`,
      },
    },
  )
}

/** Every `{ file }`, wherever it stands. */
function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  if ('file' in value && typeof value.file === 'string' && Object.keys(value).length === 1) return [value.file]
  return Object.values(value).flatMap(referencesIn)
}
