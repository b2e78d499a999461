import type { NameAttribute } from '@sallyport/x509'
import { readAttribute } from './attributes.ts'
import { maxSubjectValueCharacters } from './limits.ts'
import type { ValidatedPrincipal } from './principal.ts'
import { splitPattern, type SubjectField, subjectFields, type SubjectPattern } from './subject-pattern.ts'
import type { RuleCondition, SubjectRule } from './subject-rule.ts'

/** What a rule makes of a principal. `problem` says what to change, without values of the token. */
export type SubjectVerdict =
  | { readonly expanded: true; readonly subject: readonly NameAttribute[] }
  | { readonly expanded: false; readonly reason: 'variable' | 'value'; readonly problem: string }

/** Looks a variable up; `undefined` when it has no value. */
export type AttributeLookUp = (variable: string) => string | undefined

/** The first rule whose condition holds, with its position. The default rule always does. */
export function selectSubjectRule(
  rules: readonly SubjectRule[],
  principal: Pick<ValidatedPrincipal, 'kind' | 'claims'>,
): { readonly rule: SubjectRule; readonly index: number } | undefined {
  const index = rules.findIndex(({ condition }) => holds(condition, principal))
  const rule = rules[index]
  return rule === undefined ? undefined : { rule, index }
}

function holds(condition: RuleCondition | undefined, principal: Pick<ValidatedPrincipal, 'kind' | 'claims'>): boolean {
  if (condition === undefined) return true
  const value = readAttribute(principal, condition.variable)
  switch (condition.operator) {
    case 'exist':
      return value !== undefined
    case 'exist_not':
      return value === undefined
    case 'is':
      return value !== undefined && value === condition.value
    case 'is_not':
      // An absent attribute is not "different": the original says so, and a rule for others must not catch the nameless.
      return value !== undefined && value !== condition.value
  }
}

/**
 * Fills a pattern in. A variable without value fails the whole subject when it is in `CN`; elsewhere its field is left out as a whole, because half a value
 * might be somebody else's. Values that no certificate should carry (too long, control characters, a country that is not two letters) fail the subject.
 */
export function expandSubject(pattern: SubjectPattern, lookUp: AttributeLookUp): SubjectVerdict {
  const subject: NameAttribute[] = []
  for (const field of subjectFields) {
    const value = expandField(pattern[field] ?? '', lookUp)
    if (typeof value === 'object') {
      if (field === 'CN')
        return {
          expanded: false,
          reason: 'variable',
          problem: `the token has no value for \${${value.unresolved}}, which the CN of the subject pattern needs`,
        }
      continue
    }
    if (value === '' && field === 'CN') return { expanded: false, reason: 'value', problem: 'the CN of the subject is empty' }
    if (value === '') continue
    const problem = problemOf(field, value)
    if (problem !== undefined) return { expanded: false, reason: 'value', problem: `the ${field} of the subject ${problem}` }
    subject.push({ type: field, value })
  }
  return { expanded: true, subject }
}

function expandField(field: string, lookUp: AttributeLookUp): string | { readonly unresolved: string } {
  let value = ''
  for (const piece of splitPattern(field) ?? [{ variable: field }]) {
    const part = 'text' in piece ? piece.text : lookUp(piece.variable)
    if (part === undefined || part === '') return { unresolved: 'variable' in piece ? piece.variable : '' }
    value += part
  }
  return value
}

function problemOf(field: SubjectField, value: string): string | undefined {
  if (value.length > maxSubjectValueCharacters) return `is longer than ${maxSubjectValueCharacters} characters`
  // Line breaks and NUL have been used to make two readers see different names.
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value) || !value.isWellFormed()) return 'has control characters or broken Unicode'
  if (field === 'C' && !/^[A-Za-z]{2}$/.test(value)) return 'is not two letters'
  if (field === 'EMAIL' && !/^[\u0020-\u007e]+$/.test(value)) return 'has characters outside ASCII'
  return undefined
}
