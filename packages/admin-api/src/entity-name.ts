import { maxEntityNameLength } from './limits.ts'

const strictName = new RegExp(`^[A-Za-z0-9_-]{1,${maxEntityNameLength}}$`)
const printableName = new RegExp(`^[^\\p{Cc}\\p{Zl}\\p{Zp}]{1,${maxEntityNameLength}}$`, 'u')

/** Whether a text may be the name of a destination or of a fragment. `strictNames` admits letters, digits, `_` and `-`; without it any printable name is taken. */
export function isEntityName(value: unknown, options: { readonly strictNames: boolean }): value is string {
  if (typeof value !== 'string') return false
  if (options.strictNames) return strictName.test(value)
  return value.isWellFormed() && printableName.test(value)
}

/** Why a text may not be the name of something, as a sentence. */
export function nameProblem(property: string, options: { readonly strictNames: boolean }): string {
  const allowed = options.strictNames ? 'letters, digits, "_" and "-"' : 'printable characters'
  return `Property "${property}" must have 1 to ${maxEntityNameLength} characters out of ${allowed}`
}
