import { malformed } from '../http/answer.ts'
import { recordsOf } from './file-records.ts'
import type { FileRecord } from './removed-secret.ts'

/** Reads one JSON object with properties, or an array of such. @throws ConnectivityError `MESSAGE_INVALID`. */
export function parseJsonFile(text: string): readonly FileRecord[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the file, which may hold a password.
    throw malformed('The file is not valid JSON')
  }
  return recordsOf(value)
}

/** Writes one JSON object. */
export function formatJsonFile(properties: Iterable<readonly [string, string]>): string {
  return `${JSON.stringify(Object.fromEntries(properties), null, 2)}\n`
}
