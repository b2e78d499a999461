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

/** The line was authenticated, so it is as some version has written it. @throws ConnectivityError `MESSAGE_INVALID` when it was none that we know. */
export function parseArchiveLine(text: string): ArchiveLine {
  const value = JSON.parse(text) as unknown
  if (Array.isArray(value)) return { row: value as ArchiveValue[] }
  const known = typeof value === 'object' && value !== null && ['keys', 'file', 'part', 'table', 'end'].some((name) => name in value)
  if (!known) throw new ConnectivityError('MESSAGE_INVALID', 'the backup holds something that this version does not know')
  return value as ArchiveLine
}
