import type { ConfigurationProblem, MappingEntry } from '@sallyport/admin-api'
import type { SystemMapping } from '../access-control/system-mapping.ts'

/** A check of one normalised mapping beside its written form. Paths are relative to the mapping. */
export type MappingRule = (mapping: SystemMapping, entry: MappingEntry) => readonly ConfigurationProblem[]
