import { malformed } from '../http/answer.ts'
import { maxModifiedWithinMinutes } from '../limits.ts'
import type { EntityEntry } from './entity-repository.ts'

/** A `$filter`, read: all clauses must hold. They can say something of names, times and labels only: nothing else is stored readably. */
export type EntityFilter = readonly Clause[]

type Clause =
  | { readonly kind: 'in'; readonly names: ReadonlySet<string> }
  | { readonly kind: 'startswith' | 'endswith'; readonly text: string }
  | { readonly kind: 'modifiedwithin'; readonly minutes: number }
  | { readonly kind: 'label'; readonly key: string; readonly values: readonly string[] }

/** What a clause speaks of. */
export type ClauseKind = Clause['kind']

/**
 * Reads clauses joined by `AND`: `Name in ('a', 'b')` with percent-encoded names, `startswith(Name, 'a')` and `endswith(Name, 'a')` in which a quote is
 * doubled, `modifiedwithin('10', 'minutes')`, and `Label['key'] HAS ('a', 'b')` with percent-encoded key and values, one of which must be there. Blanks
 * between the words are free.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for anything else, and for clauses that are not `allowed` here.
 */
export function parseFilter(text: string, allowed: readonly ClauseKind[]): EntityFilter {
  const clauses: Clause[] = []
  let at = 0
  for (;;) {
    const next = readClause(text, at)
    if (next === undefined || !allowed.includes(next.clause.kind)) {
      throw malformed(`$filter must be ${describeFilter(allowed)}`)
    }
    clauses.push(next.clause)
    at = next.end
    if (text.slice(at).trim() === '') return clauses
    const and = match(/\s+AND(?=\s)/y, text, at)
    if (and === undefined) throw malformed('The clauses of $filter must be joined by AND')
    at += and[0].length
  }
}

/** What a filter of these clauses looks like. */
export function describeFilter(allowed: readonly ClauseKind[]): string {
  return `${allowed.map((kind) => grammar[kind]).join(', or ')}; several are joined by AND`
}

/** The names of a bulk delete, each once. No other filter may delete. */
export function parseDeletionFilter(text: string | undefined): readonly string[] {
  const next = text === undefined ? undefined : readClause(text, 0)
  if (next === undefined || next.clause.kind !== 'in' || text?.slice(next.end).trim() !== '') {
    throw malformed("Deleting several at once needs $filter=Name in ('…')")
  }
  return [...next.clause.names]
}

/** Whether a filter lets an entity through; texts are compared as they are, letter case included. */
export function matches(filter: EntityFilter, entry: EntityEntry, nowMs: number): boolean {
  return filter.every((clause) => holds(clause, entry, nowMs))
}

function holds(clause: Clause, entry: EntityEntry, nowMs: number): boolean {
  switch (clause.kind) {
    case 'in':
      return clause.names.has(entry.name)
    case 'startswith':
      return entry.name.startsWith(clause.text)
    case 'endswith':
      return entry.name.endsWith(clause.text)
    case 'modifiedwithin':
      return entry.modifiedAtMs >= nowMs - clause.minutes * 60_000
    case 'label':
      return entry.labels.some(({ key, values }) => key === clause.key && clause.values.some((value) => values.includes(value)))
  }
}

const grammar: Readonly<Record<ClauseKind, string>> = {
  in: "Name in ('…')",
  startswith: "startswith(Name, '…')",
  endswith: "endswith(Name, '…')",
  modifiedwithin: "modifiedwithin('…', 'minutes')",
  label: "Label['…'] HAS ('…')",
}

const texts = String.raw`\(\s*('[^']*'(?:\s*,\s*'[^']*')*)\s*\)`
const inClause = new RegExp(String.raw`\s*Name\s+in\s*${texts}`, 'y')
const partClause = /\s*(startswith|endswith)\s*\(\s*Name\s*,\s*'((?:[^']|'')*)'\s*\)/y
const modifiedClause = /\s*modifiedwithin\s*\(\s*'(\d{1,6})'\s*,\s*'minutes'\s*\)/y
const labelClause = new RegExp(String.raw`\s*Label\s*\[\s*'([^']*)'\s*\]\s*HAS\s*${texts}`, 'y')

function readClause(text: string, at: number): { readonly clause: Clause; readonly end: number } | undefined {
  const names = match(inClause, text, at)
  if (names !== undefined) return { clause: { kind: 'in', names: new Set(decodeTexts(names[1])) }, end: inClause.lastIndex }
  const part = match(partClause, text, at)
  if (part !== undefined) {
    const kind = part[1] === 'startswith' ? 'startswith' : 'endswith'
    return { clause: { kind, text: (part[2] ?? '').replaceAll("''", "'") }, end: partClause.lastIndex }
  }
  const modified = match(modifiedClause, text, at)
  if (modified !== undefined) {
    const minutes = Number(modified[1])
    if (minutes < 1 || minutes > maxModifiedWithinMinutes) throw malformed(`modifiedwithin takes 1 to ${maxModifiedWithinMinutes} minutes`)
    return { clause: { kind: 'modifiedwithin', minutes }, end: modifiedClause.lastIndex }
  }
  const label = match(labelClause, text, at)
  if (label === undefined) return undefined
  return { clause: { kind: 'label', key: decode(label[1] ?? ''), values: decodeTexts(label[2]) }, end: labelClause.lastIndex }
}

function match(sticky: RegExp, text: string, at: number): RegExpExecArray | undefined {
  sticky.lastIndex = at
  return sticky.exec(text) ?? undefined
}

function decodeTexts(list = ''): string[] {
  return [...list.matchAll(/'([^']*)'/g)].map((quoted) => decode(quoted[1] ?? ''))
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw malformed('A text in $filter is not percent-encoded properly')
  }
}
