import { expect, it } from 'vitest'
import {
  addSubjectRule,
  checkSubjectRules,
  defaultSubjectRules,
  deleteSubjectRule,
  formatCondition,
  moveSubjectRule,
  replaceSubjectRule,
  type RuleCondition,
  type SubjectRule,
} from './index.ts'

const rule = (name: string, condition: RuleCondition = { variable: name, operator: 'exist' }): SubjectRule => ({
  condition,
  pattern: { CN: name },
})
const namesOf = (rules: readonly SubjectRule[]): readonly string[] => rules.map(({ pattern }) => pattern.CN)
const badRequest = expect.objectContaining({
  code: 'MESSAGE_INVALID',
  traits: expect.objectContaining({ status: 400 }) as unknown,
}) as unknown
const three = addSubjectRule(addSubjectRule(defaultSubjectRules, rule('a')), rule('b'))

it('begins with the default rule alone', () => {
  expect(defaultSubjectRules).toEqual([{ pattern: { CN: '${name}' } }])
  expect(checkSubjectRules(defaultSubjectRules)).toEqual([])
})

it('PP-024 places new rules directly before the default one', () => {
  expect(namesOf(addSubjectRule(defaultSubjectRules, rule('a')))).toEqual(['a', '${name}'])
  expect(namesOf(three)).toEqual(['a', 'b', '${name}'])
})

it('PP-021 refuses to move or delete the default rule', () => {
  expect(() => deleteSubjectRule(three, 2)).toThrow(badRequest)
  expect(() => moveSubjectRule(three, 2, 0)).toThrow(badRequest)
  expect(() => moveSubjectRule(three, 0, 2)).toThrow(badRequest)
  expect(() => addSubjectRule(three, { pattern: { CN: 'x' } })).toThrow(badRequest)
  expect(() => replaceSubjectRule(three, 2, rule('c'))).toThrow(badRequest)
  expect(namesOf(replaceSubjectRule(three, 2, { pattern: { CN: '${mail}' } }))).toEqual(['a', 'b', '${mail}'])
})

it('moves, replaces and deletes other rules, leaving the list it was given alone', () => {
  expect(namesOf(moveSubjectRule(three, 0, 1))).toEqual(['b', 'a', '${name}'])
  expect(namesOf(moveSubjectRule(three, 1, 0))).toEqual(['b', 'a', '${name}'])
  expect(namesOf(replaceSubjectRule(three, 0, rule('c')))).toEqual(['c', 'b', '${name}'])
  expect(namesOf(deleteSubjectRule(three, 0))).toEqual(['b', '${name}'])
  expect(namesOf(three)).toEqual(['a', 'b', '${name}'])
  for (const index of [-1, 3, 0.5, Number.NaN]) {
    expect(() => deleteSubjectRule(three, index)).toThrow(badRequest)
    expect(() => replaceSubjectRule(three, index, rule('c'))).toThrow(badRequest)
    expect(() => moveSubjectRule(three, index, 0)).toThrow(badRequest)
    expect(() => moveSubjectRule(three, 0, index)).toThrow(badRequest)
  }
})

it.each<[RuleCondition | undefined, string]>([
  [{ variable: 'mail', operator: 'exist' }, 'mail exists'],
  [{ variable: 'mail', operator: 'exist_not' }, 'mail does not exist'],
  [{ variable: 'user_type', operator: 'is', value: 'Technical' }, 'user_type is Technical'],
  [{ variable: 'login_name', operator: 'is_not', value: 'x y' }, 'login_name is not x y'],
  [undefined, 'always true'],
])('shows the condition %j as "%s"', (condition, text) => {
  expect(formatCondition(condition)).toBe(text)
})

it.each<[string, unknown, string]>([
  ['a value with exist', { variable: 'mail', operator: 'exist', value: 'x' }, 'condition.value'],
  ['an empty value with exist', { variable: 'mail', operator: 'exist', value: '' }, 'condition.value'],
  ['a value with exist_not', { variable: 'mail', operator: 'exist_not', value: 'x' }, 'condition.value'],
])('PP-023 refuses a condition with %s', (_, condition, path) => {
  const rules = [rule('a', condition as RuleCondition), ...defaultSubjectRules]
  expect(checkSubjectRules(rules).map((problem) => problem.path.join('.'))).toEqual([`0.${path}`])
  expect(() => addSubjectRule(defaultSubjectRules, rule('a', condition as RuleCondition))).toThrow(badRequest)
  const without = { ...(condition as RuleCondition), value: undefined }
  expect(checkSubjectRules([rule('a', without), ...defaultSubjectRules])).toEqual([])
})

it.each<[string, unknown, string]>([
  ['no value with is', { variable: 'mail', operator: 'is' }, 'condition.value'],
  ['no value with is_not', { variable: 'mail', operator: 'is_not', value: '' }, 'condition.value'],
  ['a value that is too long', { variable: 'mail', operator: 'is', value: 'x'.repeat(1025) }, 'condition.value'],
  ['another operator', { variable: 'mail', operator: 'matches', value: 'x' }, 'condition.operator'],
  ['no variable', { variable: '', operator: 'exist' }, 'condition.variable'],
  ['a variable that is no text', { variable: 1, operator: 'exist' }, 'condition.variable'],
  ['the existence of user_type', { variable: 'user_type', operator: 'exist' }, 'condition.operator'],
  ['another user type', { variable: 'user_type', operator: 'is', value: 'technical' }, 'condition.value'],
  ['nothing', null, 'condition'],
])('refuses a condition with %s', (_, condition, path) => {
  const rules = [rule('a', condition as RuleCondition), ...defaultSubjectRules]
  expect(checkSubjectRules(rules).map((problem) => problem.path.join('.'))).toEqual([`0.${path}`])
})

it.each<[string, unknown, string]>([
  ['no pattern', undefined, 'pattern'],
  ['no CN', {}, 'pattern.CN'],
  ['a blank CN', { CN: ' ' }, 'pattern.CN'],
  ['an open variable', { CN: '${name' }, 'pattern.CN'],
  ['a nameless variable', { CN: 'a${}' }, 'pattern.CN'],
  ['a variable inside a variable', { CN: '${a${b}}' }, 'pattern.CN'],
  ['a variable with blanks around', { CN: '${ name }' }, 'pattern.CN'],
  ['a line break', { CN: 'a\nb' }, 'pattern.CN'],
  ['an unknown field', { CN: 'a', UID: 'b' }, 'pattern.UID'],
  ['a country of three letters', { CN: 'a', C: 'DEU' }, 'pattern.C'],
  ['a field that is no text', { CN: 'a', OU: 1 }, 'pattern.OU'],
  ['a field that is too long', { CN: 'a', OU: 'x'.repeat(1025) }, 'pattern.OU'],
])('refuses a rule with %s', (_, pattern, path) => {
  expect(checkSubjectRules([{ pattern: pattern as SubjectRule['pattern'] }]).map((problem) => problem.path.join('.'))).toEqual([
    `0.${path}`,
  ])
})

it('reports the problems of all rules together, and lists without default or end', () => {
  const broken: SubjectRule[] = [{ pattern: { CN: '' } }, { ...rule('b'), description: 'x'.repeat(1025) }]
  expect(checkSubjectRules(broken).map((problem) => problem.path.join('.'))).toEqual([
    '0.condition',
    '0.pattern.CN',
    '1.condition',
    '1.description',
  ])
  expect(checkSubjectRules([])).toEqual([{ path: [], message: 'the default rule is missing' }])
  expect(checkSubjectRules([null as unknown as SubjectRule])).toEqual([{ path: [0], message: 'is not an object' }])
  const full = Array.from({ length: 100 }, () => rule('a'))
  expect(checkSubjectRules([...full, ...defaultSubjectRules])).toHaveLength(1)
  expect(checkSubjectRules([...full.slice(1), ...defaultSubjectRules])).toEqual([])
})
