import { checkConfiguration, type ConfigurationProblem, type ConfigurationSchema, formatProblemPath } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import { maxReportedProblems } from '../limits.ts'
import { tryParseJsonObject } from './json-text.ts'
import { tryParsePlainYaml } from './plain-yaml.ts'

/** A problem with the place where it stands. Lines and columns count from 1. */
export interface LocatedProblem extends ConfigurationProblem {
  readonly line: number
  readonly column: number
}

/** A configuration as written, checked against its schema, and a way to say where in the text something stands. */
export interface ConfigurationText<Value> {
  readonly value: Value
  locate(problem: ConfigurationProblem): LocatedProblem
}

/**
 * Reads YAML (or JSON, which is YAML) into the written form that a schema describes. All problems come together, each with its place.
 *
 * `otherKeys` are top-level keys of the same file that belong to others, such as `subaccounts`; they are not looked at.
 */
export function readConfigurationText<Value>(options: {
  readonly text: string
  readonly schema: ConfigurationSchema<Value>
  readonly otherKeys?: readonly string[]
}): ConfigurationText<Value> | { readonly problems: readonly LocatedProblem[] } {
  const { otherKeys = [], schema } = options
  const written = readWritten(options.text)
  if ('problems' in written) return written
  let { value } = written
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const own = Object.entries(value).filter(([key]) => !otherKeys.includes(key))
    value = Object.fromEntries(own)
  }
  const result = checkConfiguration(schema, value ?? {})
  if ('problems' in result) return { problems: result.problems.map(createLocator(options.text)) }
  let locate: ReturnType<typeof createLocator> | undefined
  return { value: result.value, locate: (problem) => (locate ??= createLocator(options.text))(problem) }
}

/** The value of a text, whatever it is. */
function readWritten(text: string): { readonly value: unknown } | { readonly problems: readonly LocatedProblem[] } {
  const quick = tryParseJsonObject(text) ?? tryParsePlainYaml(text)
  if (quick !== undefined) return { value: quick }
  const counter = new LineCounter()
  const document = parse(text, counter)
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map((error) => {
        const { line, col } = counter.linePos(error.pos[0])
        return { path: [], message: (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''), line, column: col }
      }),
    }
  }
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown }
  } catch (error) {
    // The one thing that fails here is an alias that is used too often.
    return { problems: [createLocator(text)({ path: [], message: error instanceof Error ? error.message : 'cannot be read' })] }
  }
}

/** Says where in a text problems stand. Parses it again, because places need a tree many times as large as the text, and hardly anybody asks for them. */
export function createLocator(text: string): (problem: ConfigurationProblem) => LocatedProblem {
  const counter = new LineCounter()
  const document = parse(text, counter)
  return (problem) => ({ ...problem, ...positionOf(document, counter, problem.path) })
}

function parse(text: string, lineCounter: LineCounter): Document {
  return parseDocument(text, { lineCounter, uniqueKeys: true, version: '1.2' })
}

/** One error for all problems, each on a line of its own with file, line and path. */
export function configurationError(fileName: string, problems: readonly LocatedProblem[]): ConnectivityError {
  return explainedError(
    problems.map(({ column, line, message, path }) => {
      const where = formatProblemPath(path)
      return `${fileName}:${line}:${column} ${where === '' ? '' : `${where}: `}${message}`
    }),
  )
}

/** One error for all problems, each on a line of its own, and once. */
export function explainedError(explained: readonly string[]): ConnectivityError {
  const lines = [...new Set(explained)]
  const rest = lines.length - maxReportedProblems
  return new ConnectivityError(
    'CONFIGURATION_INVALID',
    [...lines.slice(0, maxReportedProblems), ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n'),
    {
      details: { problems: lines.length },
    },
  )
}

/** The place of a path's node; for a key that is not there, of the nearest thing around it. */
function positionOf(
  document: Document,
  counter: LineCounter,
  path: readonly (string | number)[],
): { readonly line: number; readonly column: number } {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const key = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key)
      if (isScalar(pair?.key) && pair.key.range) return place(counter, pair.key.range[0])
    } else {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] | null } | undefined
      if (node?.range) return place(counter, node.range[0])
    }
  }
  return { line: 1, column: 1 }
}

function place(counter: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = counter.linePos(offset)
  return { line, column: col }
}
