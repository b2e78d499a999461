import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConnectivityError } from '@sallyport/core'
import type { ConfigurationFile } from './schema.ts'
import type { TextOrReference } from './text-reference.ts'

/** A configuration that has been read, checked and given its defaults. */
export interface Configuration extends ConfigurationFile {
  /** Absolute path of the file; references are relative to its folder. */
  readonly path: string
  /** What was read. */
  readonly text: string
}

/** Reads a text that may be kept in a file or a variable. @throws ConnectivityError `CONFIGURATION_INVALID` when it is not there. */
export function resolveText(value: TextOrReference, configuration: { readonly path: string }, environment: NodeJS.ProcessEnv): string {
  if (typeof value === 'string') return value
  if ('env' in value) {
    const found = environment[value.env]
    if (found === undefined)
      throw new ConnectivityError('CONFIGURATION_INVALID', `${configuration.path} refers to the variable ${value.env}, which is not set`)
    return found
  }
  const path = resolve(dirname(configuration.path), value.file)
  if (!existsSync(path))
    throw new ConnectivityError('CONFIGURATION_INVALID', `${configuration.path} refers to ${path}, which does not exist`)
  return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
}

/** A value that stands in the file, or in a JSON file that it refers to. @throws ConnectivityError `CONFIGURATION_INVALID` when that cannot be read. */
export function readReferencedJson(value: Readonly<Record<string, unknown>>, configuration: { readonly path: string }): unknown {
  const { file } = value
  if (typeof file !== 'string' || Object.keys(value).length > 1) return value
  const path = resolve(dirname(configuration.path), file)
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown
  } catch {
    // What the parser says may quote a password.
    throw new ConnectivityError('CONFIGURATION_INVALID', `${configuration.path} refers to ${path}, which is not there or not JSON`)
  }
}
