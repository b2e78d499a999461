import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { checkConfiguration, type ConfigurationProblem, formatProblemPath } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { type Document, LineCounter, parseDocument } from 'yaml'
import type { Configuration } from './configuration.ts'
import { checkRules } from './rules.ts'
import { configurationSchema } from './schema.ts'

/** A problem with the line it stands on, counted from 1. */
export interface LocatedProblem extends ConfigurationProblem {
  readonly line: number
}

export type ConfigurationResult = { readonly configuration: Configuration } | { readonly problems: readonly LocatedProblem[] }

const maxFileBytes = 16_777_216
const maxAliases = 100

/** Reads a configuration file: YAML, then the schema, then the rules across entries. All problems of a step come together. */
export function readConfiguration(file: string): ConfigurationResult {
  const path = resolve(file)
  if (!existsSync(path)) throw new ConnectivityError('CONFIGURATION_INVALID', `there is no configuration file ${path}`)
  const text = readFileSync(path, 'utf8')
  if (text.length > maxFileBytes) throw new ConnectivityError('CONFIGURATION_INVALID', `${path} is larger than ${maxFileBytes} bytes`)
  return parseConfiguration(text, path)
}

/** As {@link readConfiguration}, for a text. `path` is where its references are relative to. */
export function parseConfiguration(text: string, path: string): ConfigurationResult {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => ({ path: [], message: error.message, line: lines.linePos(error.pos[0]).line })) }
  }
  let value: unknown
  try {
    value = (document.toJS({ maxAliasCount: maxAliases }) as unknown) ?? {}
  } catch (error) {
    return { problems: [{ path: [], message: error instanceof Error ? error.message : String(error), line: 1 }] }
  }
  const located = (problem: ConfigurationProblem): LocatedProblem => ({ ...problem, line: lineOf(document, lines, problem.path) })
  const checked = checkConfiguration(configurationSchema, value)
  if ('problems' in checked) return { problems: checked.problems.map(located) }
  const configuration = { ...checked.value, path }
  const broken = checkRules(configuration)
  return broken.length === 0 ? { configuration } : { problems: broken.map(located) }
}

/** As {@link readConfiguration}. @throws ConnectivityError `CONFIGURATION_INVALID` with every problem, one per line. */
export function requireConfiguration(file: string): Configuration {
  const result = readConfiguration(file)
  if ('configuration' in result) return result.configuration
  throw new ConnectivityError('CONFIGURATION_INVALID', formatProblems(resolve(file), result.problems), {
    details: { next: `sallyport config validate ${file}` },
  })
}

/** `file:line  path: message`, one per line. */
export function formatProblems(file: string, problems: readonly LocatedProblem[]): string {
  const lines = problems.map(
    (problem) => `${file}:${problem.line}  ${problem.path.length === 0 ? '' : `${formatProblemPath(problem.path)}: `}${problem.message}`,
  )
  return `the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}\n${lines.join('\n')}`
}

/** The line of the deepest node on the path that exists. */
function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { readonly range?: readonly [number, number, number] | null } | undefined
    if (node?.range !== undefined && node.range !== null) return lines.linePos(node.range[0]).line
  }
  return 1
}
