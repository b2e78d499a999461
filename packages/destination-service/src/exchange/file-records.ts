import { malformed } from '../http/answer.ts'
import { maxExchangedEntities } from '../limits.ts'
import { type FileRecord, separateRemoved } from './removed-secret.ts'

/** The records of a parsed file: one object with properties, or an array of such. @throws ConnectivityError `MESSAGE_INVALID`. */
export function recordsOf(value: unknown): readonly FileRecord[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (values.length > maxExchangedEntities) throw malformed(`A file can hold ${maxExchangedEntities} entries at most`)
  return values.map((entry) => {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
      throw malformed('The file must hold the properties of a destination or fragment, or a list of such')
    return separateRemoved(Object.entries(entry))
  })
}
