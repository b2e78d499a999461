import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checkConnectors, configurationError, type LocatedProblem, readConfigurationText } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import type { Configuration } from './configuration.ts'
import { checkRules } from './rules.ts'
import { configurationSchema } from './schema.ts'

export type ConfigurationResult = { readonly configuration: Configuration } | { readonly problems: readonly LocatedProblem[] }

const maxFileBytes = 33_554_432

/**
 * Reads a configuration file: YAML, then the schema, then the rules across entries and those of the connectors. All problems of a step come together.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when there is no such file or it is too large.
 */
export function readConfiguration(file: string): ConfigurationResult {
  const path = resolve(file)
  if (!existsSync(path)) throw new ConnectivityError('CONFIGURATION_INVALID', `there is no configuration file ${path}`)
  return parseConfiguration(readBounded(path), path)
}

/** Counts while it reads: a file may grow meanwhile, and pipes and devices have no size. */
function readBounded(path: string): string {
  const handle = openSync(path, 'r')
  try {
    const chunks: Buffer[] = []
    for (let size = 0; ;) {
      const chunk = Buffer.allocUnsafe(65_536)
      const length = readSync(handle, chunk)
      if (length === 0) return Buffer.concat(chunks).toString('utf8')
      size += length
      if (size > maxFileBytes) throw new ConnectivityError('CONFIGURATION_INVALID', `${path} is larger than ${maxFileBytes} bytes`)
      chunks.push(chunk.subarray(0, length))
    }
  } finally {
    closeSync(handle)
  }
}

/** As {@link readConfiguration}, for a text. `path` is where its references are relative to. */
export function parseConfiguration(text: string, path: string): ConfigurationResult {
  const read = readConfigurationText({ text, schema: configurationSchema })
  if ('problems' in read) return { problems: inOrder(read.problems) }
  const configuration = { ...read.value, path, text }
  const problems = [...checkRules(configuration), ...checkConnectors(configuration.connectors)]
  return problems.length === 0 ? { configuration } : { problems: inOrder(problems.map(read.locate)) }
}

/** As {@link readConfiguration}. @throws ConnectivityError `CONFIGURATION_INVALID` with every problem, one per line. */
export function requireConfiguration(file: string): Configuration {
  const result = readConfiguration(file)
  if ('configuration' in result) return result.configuration
  throw configurationError(resolve(file), result.problems)
}

/** What holds without a file: every default, and references relative to the folder. */
export function emptyConfiguration(folder: string): Configuration {
  return { ...configurationSchema.parse({}), path: join(folder, 'sallyport.yaml'), text: '' }
}

/** What is wrong, one problem per line with file, line, column and path. */
export function formatProblems(file: string, problems: readonly LocatedProblem[]): string {
  return `the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}\n${configurationError(file, problems).message}`
}

function inOrder(problems: readonly LocatedProblem[]): readonly LocatedProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
}
