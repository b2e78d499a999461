import { ConnectivityError } from '@sallyport/core'
import { maxConditionValueCharacters, maxPatternCharacters, maxSubjectRules, maxVariableCharacters } from './limits.ts'
import type { RuleProblem } from './rule-problem.ts'
import { checkSubjectPattern, type SubjectPattern } from './subject-pattern.ts'

/** When a rule applies; `variable` as in a pattern, without `${}`. `value` is there for `is` and `is_not` only. */
export interface RuleCondition {
  readonly variable: string
  readonly operator: 'exist' | 'exist_not' | 'is' | 'is_not'
  readonly value?: string | undefined
}

/** Which principals get which subject. The last rule of a list is the default one: it has no condition and always applies. */
export interface SubjectRule {
  readonly description?: string | undefined
  readonly condition?: RuleCondition | undefined
  readonly pattern: SubjectPattern
}

/** The rules of a new installation. */
export const defaultSubjectRules: readonly SubjectRule[] = [{ pattern: { CN: '${name}' } }]

/** A condition as the administration shows it. */
export function formatCondition(condition: RuleCondition | undefined): string {
  if (condition === undefined) return 'always true'
  const { variable, operator, value = '' } = condition
  switch (operator) {
    case 'exist':
      return `${variable} exists`
    case 'exist_not':
      return `${variable} does not exist`
    case 'is':
      return `${variable} is ${value}`
    case 'is_not':
      return `${variable} is not ${value}`
  }
}

/** Everything that is wrong with a list of rules. An empty answer means that it can be used. */
export function checkSubjectRules(rules: readonly SubjectRule[]): readonly RuleProblem[] {
  if (rules.length === 0) return [{ path: [], message: 'the default rule is missing' }]
  if (rules.length > maxSubjectRules) return [{ path: [], message: `there are more than ${maxSubjectRules} rules` }]
  return rules.flatMap((rule, index) => {
    if (typeof rule !== 'object' || rule === null) return [{ path: [index], message: 'is not an object' }]
    const isDefault = index === rules.length - 1
    const found = [...checkCondition(rule.condition, isDefault), ...checkSubjectPattern(rule.pattern)]
    const { description = '' } = rule
    if (typeof description !== 'string' || description.length > maxPatternCharacters) {
      found.push({ path: ['description'], message: `is not a text of at most ${maxPatternCharacters} characters` })
    }
    return found.map(({ path, message }) => ({ path: [index, ...path], message }))
  })
}

function checkCondition(condition: RuleCondition | undefined, isDefault: boolean): RuleProblem[] {
  const problem = (field: string[], message: string): RuleProblem[] => [{ path: ['condition', ...field], message }]
  if (condition === undefined) return isDefault ? [] : problem([], 'is missing; only the last rule is without')
  if (isDefault) return problem([], 'is not possible in the last rule, which always applies')
  if (typeof condition !== 'object' || condition === null) return problem([], 'is not an object')
  const { variable, operator, value } = condition
  if (typeof variable !== 'string' || variable === '' || variable.length > maxVariableCharacters) {
    return problem(['variable'], `has not 1 to ${maxVariableCharacters} characters`)
  }
  switch (operator) {
    case 'exist':
    case 'exist_not':
      if (variable === 'user_type') return problem(['operator'], 'user_type takes "is" and "is_not" only')
      return value === undefined ? [] : problem(['value'], `is not possible with "${operator}"`)
    case 'is':
    case 'is_not':
      if (typeof value !== 'string' || value === '') return problem(['value'], `is missing, "${operator}" needs it`)
      if (value.length > maxConditionValueCharacters) return problem(['value'], `is longer than ${maxConditionValueCharacters} characters`)
      if (variable === 'user_type' && value !== 'Business' && value !== 'Technical')
        return problem(['value'], 'is not "Business" or "Technical"')
      return []
    default:
      return problem(['operator'], 'is not exist, exist_not, is or is_not')
  }
}

/** A list with a new rule directly before the default one. @throws ConnectivityError `MESSAGE_INVALID`, as do the following. */
export function addSubjectRule(rules: readonly SubjectRule[], rule: SubjectRule): readonly SubjectRule[] {
  return checked(rules.toSpliced(rules.length - 1, 0, rule))
}

/** A list with one rule exchanged. The default rule may get another pattern, but no condition. */
export function replaceSubjectRule(rules: readonly SubjectRule[], index: number, rule: SubjectRule): readonly SubjectRule[] {
  requireIndex(rules, index)
  return checked(rules.with(index, rule))
}

/** A list without one rule. The default rule cannot be deleted. */
export function deleteSubjectRule(rules: readonly SubjectRule[], index: number): readonly SubjectRule[] {
  requireIndex(rules, index)
  if (index === rules.length - 1) throw refused('the default rule cannot be deleted')
  return rules.toSpliced(index, 1)
}

/** A list with one rule at another position. The default rule stays where it is, and nothing moves behind it. */
export function moveSubjectRule(rules: readonly SubjectRule[], index: number, position: number): readonly SubjectRule[] {
  requireIndex(rules, index)
  requireIndex(rules, position)
  if (index === rules.length - 1 || position === rules.length - 1) throw refused('the default rule is always the last one')
  const [rule] = rules.slice(index, index + 1)
  return rule === undefined ? rules : rules.toSpliced(index, 1).toSpliced(position, 0, rule)
}

function checked(rules: readonly SubjectRule[]): readonly SubjectRule[] {
  const problems = checkSubjectRules(rules)
  if (problems.length === 0) return rules
  throw refused(problems.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; '))
}

function requireIndex(rules: readonly SubjectRule[], index: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= rules.length) throw refused(`there is no rule ${index}`)
}

function refused(problem: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `subject pattern rules: ${problem}`)
}
