import { ConnectivityError } from '@sallyport/core'

/** One value of a row. */
export type ArchiveValue = string | number | null

/**
 * What an archive holds, in this order: the sealing keys (only under a password), files, then parts, each with the steps its schema had and its tables, each
 * with its rows; at last the number of rows.
 */
export type ArchiveLine =
  | { readonly keys: { readonly current: string; readonly previous: readonly string[] } }
  | { readonly file: string; readonly content: string }
  | { readonly part: string; readonly steps: readonly string[] }
  | { readonly table: string; readonly columns: readonly string[] }
  | { readonly row: readonly ArchiveValue[] }
  | { readonly end: { readonly rows: number } }

/** One line of JSON; a row is the array alone. */
export function formatArchiveLine(line: ArchiveLine): string {
  return `${JSON.stringify('row' in line ? line.row : line)}\n`
}

/**
 * Who has written an archive knew its password, and may still be somebody else: everything is looked at before it is used.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` when it is no line that we know.
 */
export function parseArchiveLine(text: string): ArchiveLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's words quote the line.
    throw unknownLine()
  }
  if (Array.isArray(value)) {
    if (!value.every(isArchiveValue)) throw unknownLine()
    return { row: value }
  }
  if (typeof value !== 'object' || value === null || !forms.some((isForm) => isForm(value as Record<string, unknown>))) throw unknownLine()
  return value as ArchiveLine
}

const isText = (value: unknown): value is string => typeof value === 'string'
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isArchiveValue = (value: unknown): value is ArchiveValue => value === null || isText(value) || typeof value === 'number'
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const forms: readonly ((line: Record<string, unknown>) => boolean)[] = [
  ({ keys }) => isRecord(keys) && isText(keys['current']) && areTexts(keys['previous']),
  ({ file, content }) => isText(file) && isText(content),
  ({ part, steps }) => isText(part) && areTexts(steps),
  ({ table, columns }) => isText(table) && areTexts(columns),
  ({ end }) => isRecord(end) && Number.isInteger(end['rows']),
]

function unknownLine(): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', 'the backup holds something that this version does not know')
}
