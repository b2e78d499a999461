import { type ConfigurationProblem, type ConnectorEntry, connectorFileSchema, type MappingEntry } from '@sallyport/admin-api'
import { isTlsMapping, type SystemMapping } from '../access-control/system-mapping.ts'
import { channelWarnings, checkChannels, findSamePorts } from './channel-rules.ts'
import { configurationError, createLocator, explainedError, type LocatedProblem, readConfigurationText } from './configuration-text.ts'
import type { WrittenConnectors } from './configuration-source.ts'
import { checkConnector, findSameConnectors } from './connector-rules.ts'
import { checkMapping, findClashes } from './mapping-rules.ts'
import { normaliseMapping } from './normalise-mapping.ts'
import { rfcWarnings } from './rfc-warnings.ts'

/** One connector as configured: checked, normalised, but with its files not read yet. */
export interface ConnectorConfiguration {
  readonly entry: ConnectorEntry
  readonly mappings: readonly SystemMapping[]
  /** What works but probably not as meant. */
  readonly warnings: readonly string[]
  /** Path of the entry, for problems that show when its files are read. */
  readonly path: readonly (string | number)[]
}

/** All connectors of a configuration. */
export interface Configuration {
  readonly connectors: readonly ConnectorConfiguration[]
  /** Turns problems found later into one error with file, line and path. */
  fail(problems: readonly ConfigurationProblem[]): Error
}

/**
 * Reads a configuration: parse, normalise, rules. All problems are reported together.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID`; every line of the message has file, line, column and path of one problem.
 */
export function parseConfiguration(options: {
  readonly text: string
  readonly fileName: string
  /** Top-level keys of the same file that belong to others. */
  readonly otherKeys?: readonly string[]
}): Configuration {
  const { fileName, text, otherKeys = [] } = options
  const read = readConfigurationText({ text, otherKeys, schema: connectorFileSchema })
  if ('problems' in read) throw configurationError(fileName, read.problems)
  return acceptConnectors({ connectors: read.value.connectors, text }, fileName)
}

/**
 * As {@link parseConfiguration}, for what was parsed before. Mappings that were looked at before, as the same objects, cost nothing.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID`
 */
export function acceptConnectors({ connectors: entries, explain, text = '' }: WrittenConnectors, fileName: string): Configuration {
  const { connectors, problems } = normaliseConnectors(entries)
  const fail = (later: readonly ConfigurationProblem[]): Error => {
    if (explain !== undefined) return explainedError(later.map(explain))
    const locate = createLocator(text)
    return configurationError(fileName, inOrder(later.map(locate)))
  }
  if (problems.length > 0) throw fail(problems)
  return { connectors, fail }
}

/** Everything that the rules find wrong with connectors whose schema has been checked. */
export function checkConnectors(entries: readonly ConnectorEntry[]): readonly ConfigurationProblem[] {
  return normaliseConnectors(entries).problems
}

function normaliseConnectors(entries: readonly ConnectorEntry[]): {
  readonly connectors: readonly ConnectorConfiguration[]
  readonly problems: readonly ConfigurationProblem[]
} {
  const problems: ConfigurationProblem[] = [
    ...prefixed(['connectors'], findSameConnectors(entries)),
    ...prefixed(['connectors'], findSamePorts(entries)),
  ]
  const connectors = entries.map((entry, at): ConnectorConfiguration => {
    const path = ['connectors', at]
    const normalised = normaliseConnector(entry)
    problems.push(...prefixed(path, normalised.problems))
    return { entry, mappings: normalised.mappings, warnings: warningsOf(entry, normalised.mappings), path }
  })
  return { connectors, problems }
}

function normaliseConnector(entry: ConnectorEntry): {
  readonly mappings: readonly SystemMapping[]
  readonly problems: readonly ConfigurationProblem[]
} {
  const problems: ConfigurationProblem[] = [...checkConnector(entry), ...checkChannels(entry)]
  const mappings = entry.mappings.map((written, at) => {
    const { mapping, problems: found } = readMapping(written, entry.services)
    if (found.length > 0) problems.push(...prefixed(['mappings', at], found))
    return mapping
  })
  problems.push(...prefixed(['mappings'], findClashes(mappings)))
  return { mappings: mappings.filter((mapping) => mapping !== undefined), problems }
}

interface ReadMapping {
  readonly mapping: SystemMapping | undefined
  readonly problems: readonly ConfigurationProblem[]
}

/** Mappings never change, so that one that was read is read for good: of a hundred thousand resources a change concerns a few. */
const readMappings = new WeakMap<MappingEntry, ReadMapping>()

function readMapping(written: MappingEntry, services: Readonly<Record<string, number>>): ReadMapping {
  const known = readMappings.get(written)
  if (known !== undefined) return known
  const result = normaliseMapping(written, services)
  const read: ReadMapping =
    'problems' in result
      ? { mapping: undefined, problems: result.problems }
      : { mapping: result.mapping, problems: checkMapping(result.mapping, written) }
  // Those of RFC depend on the services as well.
  if (read.mapping !== undefined && read.mapping.rfc === undefined) readMappings.set(written, read)
  return read
}

function warningsOf(entry: ConnectorEntry, mappings: readonly SystemMapping[]): readonly string[] {
  const warnings: string[] = []
  const trustsNothing = !entry.backendTrust.trustAll && entry.backendTrust.authorities.length === 0
  for (const mapping of mappings) {
    const propagates = mapping.principalType.startsWith('X509') && mapping.protocol !== 'RFCS'
    if (propagates && entry.principalPropagation.ca === undefined) {
      warnings.push(`${mapping.virtualText}: principals cannot be propagated without principalPropagation.ca`)
    }
    if (propagates && entry.systemCertificate === undefined) {
      warnings.push(`${mapping.virtualText}: principals cannot be propagated without systemCertificate`)
    }
    if (mapping.principalType === 'KERBEROS' && entry.kerberos === undefined) {
      warnings.push(`${mapping.virtualText}: principals cannot be propagated without kerberos`)
    }
    warnings.push(...rfcWarnings(mapping))
    if (isTlsMapping(mapping) && trustsNothing) warnings.push(`${mapping.virtualText}: backendTrust trusts no certificate`)
  }
  warnings.push(...channelWarnings(entry.channels))
  if (entry.backendTrust.trustAll) warnings.push('backendTrust.trustAll accepts every backend certificate')
  return warnings
}

function prefixed(path: readonly (string | number)[], problems: readonly ConfigurationProblem[]): readonly ConfigurationProblem[] {
  return problems.map((problem) => ({ ...problem, path: [...path, ...problem.path] }))
}

function inOrder(problems: readonly LocatedProblem[]): readonly LocatedProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
}
