import { malformed } from '../http/answer.ts'
import type { EntityEntry } from './entity-repository.ts'
import { maxModifiedWithinMinutes } from '../limits.ts'

/** A `$filter`, read. Filters can use names and times only: nothing else is stored readably. */
export type DestinationFilter =
  | { readonly kind: 'in'; readonly names: readonly string[] }
  | { readonly kind: 'starts' | 'ends'; readonly text: string }
  | { readonly kind: 'modified'; readonly minutes: number }

/**
 * Reads `Name in ('a', 'b')` with percent-encoded names, `startswith(Name, 'a')` and `endswith(Name, 'a')` in which a quote is doubled, and
 * `modifiedwithin('10', 'minutes')`. Blanks between the words are free.
 */
export function parseDestinationFilter(text: string): DestinationFilter {
  const names = tryParseNames(text)
  if (names !== undefined) return { kind: 'in', names }
  const part = /^\s*(startswith|endswith)\s*\(\s*Name\s*,\s*'((?:[^']|'')*)'\s*\)\s*$/.exec(text)
  if (part !== null) return { kind: part[1] === 'startswith' ? 'starts' : 'ends', text: (part[2] ?? '').replaceAll("''", "'") }
  const modified = /^\s*modifiedwithin\s*\(\s*'(\d{1,6})'\s*,\s*'minutes'\s*\)\s*$/.exec(text)
  if (modified !== null) {
    const minutes = Number(modified[1])
    if (minutes < 1 || minutes > maxModifiedWithinMinutes) throw malformed(`modifiedwithin takes 1 to ${maxModifiedWithinMinutes} minutes`)
    return { kind: 'modified', minutes }
  }
  if (/^\s*Label\s*\[/.test(text)) throw malformed('Filters by label are not supported by this version')
  throw malformed("$filter must be Name in ('…'), startswith(Name, '…'), endswith(Name, '…') or modifiedwithin('…', 'minutes')")
}

/** The names of a bulk delete, each once. No other filter may delete. */
export function parseDeletionFilter(text: string | undefined): readonly string[] {
  const names = text === undefined ? undefined : tryParseNames(text)
  if (names === undefined) throw malformed("Deleting several destinations needs $filter=Name in ('…')")
  return [...new Set(names)]
}

/** Whether a filter lets a destination through; names are compared as they are, letter case included. */
export function matches(filter: DestinationFilter, entry: EntityEntry, nowMs: number): boolean {
  switch (filter.kind) {
    case 'in':
      return filter.names.includes(entry.name)
    case 'starts':
      return entry.name.startsWith(filter.text)
    case 'ends':
      return entry.name.endsWith(filter.text)
    case 'modified':
      return entry.modifiedAtMs >= nowMs - filter.minutes * 60_000
  }
}

function tryParseNames(text: string): string[] | undefined {
  const list = /^\s*Name\s+in\s*\(\s*('[^']*'(?:\s*,\s*'[^']*')*)\s*\)\s*$/.exec(text)?.[1]
  if (list === undefined) return undefined
  return [...list.matchAll(/'([^']*)'/g)].map((match) => {
    try {
      return decodeURIComponent(match[1] ?? '')
    } catch {
      throw malformed('A name in $filter is not percent-encoded properly')
    }
  })
}
