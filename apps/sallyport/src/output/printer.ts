import { styleText } from 'node:util'
import { ConnectivityError, errorTable } from '@sallyport/core'
import { adviceFor } from './advice.ts'
import { isUsageError } from './exit-code.ts'

/** Where a command's result goes: text for people on a terminal or in a log, one JSON document with `--json`. */
export interface Printer {
  readonly json: boolean
  /** A line of text; nothing with `--json`. */
  line(text?: string): void
  /** A line on standard error, for progress and warnings; nothing with `--json`. */
  note(text: string): void
  /** The result of the command: `value` as JSON, or `text` for people. */
  result(value: unknown, text: () => string): void
  /** As `result`, with commands for another machine: they stay as they are. */
  resultForElsewhere(value: unknown, text: () => string): void
  error(error: unknown): void
  good(text: string): string
  bad(text: string): string
  dim(text: string): string
  bold(text: string): string
}

interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export function createPrinter(options: {
  readonly json: boolean
  readonly stdout: Output
  readonly stderr: Output
  readonly colour: boolean
  /** Makes suggested commands such that they can be typed as they stand. */
  readonly suggest: (text: string) => string
}): Printer {
  const { json, stdout, stderr, colour, suggest } = options
  const style = (format: 'green' | 'red' | 'dim' | 'bold', text: string): string =>
    colour ? styleText(format, text, { validateStream: false }) : text
  return {
    json,
    line(text = '') {
      if (!json) stdout.write(`${suggest(text)}\n`)
    },
    note(text) {
      if (!json) stderr.write(`${suggest(text)}\n`)
    },
    result(value, text) {
      stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : ensureLine(suggest(text())))
    },
    resultForElsewhere(value, text) {
      stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : ensureLine(text()))
    },
    error(error) {
      const described = describeError(error)
      const { code } = described
      const message = suggest(described.message)
      const next = described.next === undefined ? undefined : suggest(described.next)
      if (json) {
        stdout.write(`${JSON.stringify({ error: { code, message, ...(next === undefined ? {} : { next }) } }, null, 2)}\n`)
        return
      }
      stderr.write(`${style('red', 'error')} ${message}${isOurs(code) ? ` ${style('dim', `[${code}]`)}` : ''}\n`)
      if (next !== undefined) stderr.write(`${style('dim', 'next ')} ${next}\n`)
    },
    good: (text) => style('green', text),
    bad: (text) => style('red', text),
    dim: (text) => style('dim', text),
    bold: (text) => style('bold', text),
  }
}

function ensureLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}

/** Errors that are none of ours have a code too: scripts look for one. */
function describeError(error: unknown): { readonly code: string; readonly message: string; readonly next?: string } {
  if (ConnectivityError.is(error)) {
    const next = adviceFor(error)
    return { code: error.code, message: error.message, ...(next === undefined ? {} : { next }) }
  }
  return { code: isUsageError(error) ? 'USAGE' : 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) }
}

/** Codes that a person can look up. */
function isOurs(code: string): boolean {
  return code in errorTable
}

/** Columns of equal width, two blanks apart. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)))
  const render = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [header, ...rows].map(render).join('\n')
}
