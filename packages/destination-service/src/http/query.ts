import { malformed } from './answer.ts'

/** The query of a request; a parameter that comes twice is refused where it is read. */
export type Query = URLSearchParams

/** The value of a parameter that may come once. */
export function single(query: Query, name: string): string | undefined {
  const values = query.getAll(name)
  if (values.length > 1) throw malformed(`The query parameter ${name} must not be repeated`)
  return values[0]
}

/** A switch: absent or `false` is off. Anything but `true` and `false` is refused, since `$skipCredentials=yes` must not hand out credentials. */
export function flag(query: Query, name: string): boolean {
  const value = single(query, name)?.toLowerCase()
  if (value !== undefined && value !== 'true' && value !== 'false') throw malformed(`The query parameter ${name} must be true or false`)
  return value === 'true'
}
