import { usageError } from '../output/exit-code.ts'

/** A name as one segment of a path. @throws a usage error for those that would make it the path of something else. */
export function segmentOf(what: string, name: string): string {
  if (name === '' || name === '.' || name === '..') throw usageError(`"${name}" is no name of a ${what}`)
  return encodeURIComponent(name)
}
