import { escapeKey, escapeValue, unescape } from './properties-escapes.ts'
import { type FileRecord, removedSecretText, separateRemoved } from './removed-secret.ts'

/**
 * Reads a Java `.properties` file (java.util.Properties, "load"): both comment characters, all three separators, continued lines, escapes. Nothing is
 * malformed: what looks odd is taken as it stands. The last of several equal keys counts.
 */
export function parsePropertiesFile(text: string): FileRecord {
  const entries = new Map<string, string>()
  const removed: string[] = []
  for (const line of logicalLines(text)) {
    if (line.isComment) {
      const marker = `=${removedSecretText}`
      if (line.text.trimEnd().endsWith(marker)) removed.push(unescape(line.text.trimEnd().slice(1, -marker.length).trim()))
      continue
    }
    const { key, value } = splitLine(line.text)
    entries.set(unescape(key), unescape(value))
  }
  return separateRemoved(entries, removed)
}

/** Writes what `java.util.Properties` reads back as the same; the names of removed secrets and the time stand in comments, as in the original's exports. */
export function formatPropertiesFile(
  properties: Iterable<readonly [string, string]>,
  { removed, nowMs }: { readonly removed: readonly string[]; readonly nowMs: number },
): string {
  const lines = [
    ...removed.map((name) => `#${escapeKey(name)}=${removedSecretText}`),
    '#',
    `#${javaDate(nowMs)}`,
    ...Array.from(properties, ([key, value]) => `${escapeKey(key)}=${escapeValue(value)}`),
  ]
  return `${lines.join('\n')}\n`
}

interface LogicalLine {
  readonly text: string
  readonly isComment: boolean
}

const leadingBlanks = /^[ \t\f]+/

/** Natural lines, those that end in an odd number of backslashes joined with the next one. Comments end with their line. */
function* logicalLines(text: string): Generator<LogicalLine> {
  let begun: string[] | undefined
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.replace(leadingBlanks, '')
    if (begun === undefined) {
      if (line === '') continue
      if (line.startsWith('#') || line.startsWith('!')) {
        yield { text: line, isComment: true }
        continue
      }
    }
    let backslashes = 0
    while (line.charAt(line.length - 1 - backslashes) === '\\') backslashes += 1
    const isContinued = backslashes % 2 === 1
    begun ??= []
    begun.push(isContinued ? line.slice(0, -1) : line)
    if (isContinued) continue
    yield { text: begun.join(''), isComment: false }
    begun = undefined
  }
  if (begun !== undefined) yield { text: begun.join(''), isComment: false }
}

/** The key ends at the first unescaped `=`, `:` or blank; blanks around one separator belong to nobody. */
function splitLine(line: string): { readonly key: string; readonly value: string } {
  let end = 0
  while (end < line.length && !'=: \t\f'.includes(line.charAt(end))) end += line.charAt(end) === '\\' ? 2 : 1
  const rest = line.slice(end).replace(leadingBlanks, '')
  const value = rest.startsWith('=') || rest.startsWith(':') ? rest.slice(1).replace(leadingBlanks, '') : rest
  return { key: line.slice(0, end), value }
}

/** `Wed Jan 07 10:15:30 UTC 2026`, what java.util.Date prints. */
function javaDate(ms: number): string {
  const [weekday, day, month, year, time] = new Date(ms).toUTCString().replace(',', '').split(' ')
  return `${weekday} ${month} ${day} ${time} UTC ${year}`
}
