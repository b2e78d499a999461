import { ConnectivityError } from '@sallyport/core'
import { parseName } from '@sallyport/x509'
import { maxPatternCharacters, maxVariableCharacters } from './limits.ts'
import type { RuleProblem } from './rule-problem.ts'

/** Fields of a subject, most specific first: the order in which they stand in the text form of a name. */
export const subjectFields = ['CN', 'EMAIL', 'L', 'OU', 'O', 'ST', 'C'] as const

/** One field of a subject. */
export type SubjectField = (typeof subjectFields)[number]

/** A subject with variables: each field is text with any number of `${variable}`. A field that is empty or not there is left out. */
export type SubjectPattern = { readonly CN: string } & { readonly [field in SubjectField]?: string | undefined }

/** A piece of a field: text as it is, or a variable to look up. */
export type PatternPiece = { readonly text: string } | { readonly variable: string }

/** Takes a field apart; `undefined` when a `${` is not closed or names no variable. Any other `$` is text. */
export function splitPattern(field: string): readonly PatternPiece[] | undefined {
  const pieces: PatternPiece[] = []
  let offset = 0
  for (;;) {
    const begin = field.indexOf('${', offset)
    const text = begin < 0 ? field.slice(offset) : field.slice(offset, begin)
    if (text !== '') pieces.push({ text })
    if (begin < 0) return pieces
    const end = field.indexOf('}', begin)
    const variable = end < 0 ? '' : field.slice(begin + 2, end)
    if (variable === '' || variable.length > maxVariableCharacters || variable.includes('{') || variable !== variable.trim())
      return undefined
    pieces.push({ variable })
    offset = end + 1
  }
}

/** Every variable of a pattern, each once. */
export function variablesOf(pattern: SubjectPattern): ReadonlySet<string> {
  const pieces = subjectFields.flatMap((field) => splitPattern(pattern[field] ?? '') ?? [])
  return new Set(pieces.flatMap((piece) => ('variable' in piece ? [piece.variable] : [])))
}

/** What is wrong with a pattern, with paths below the rule. */
export function checkSubjectPattern(pattern: SubjectPattern): readonly RuleProblem[] {
  if (typeof pattern !== 'object' || pattern === null) return [{ path: ['pattern'], message: 'is missing' }]
  const problems: RuleProblem[] = []
  const add = (field: string, message: string): void => void problems.push({ path: ['pattern', field], message })
  for (const field of Object.keys(pattern)) if (!isSubjectField(field)) add(field, `is not one of ${subjectFields.join(', ')}`)
  for (const field of subjectFields) {
    const text = pattern[field] ?? ''
    if (typeof text !== 'string') add(field, 'is not a text')
    else if (field === 'CN' && text.trim() === '') add(field, 'is missing')
    else if (text.length > maxPatternCharacters) add(field, `is longer than ${maxPatternCharacters} characters`)
    else if (/[\p{Cc}\p{Cs}]/u.test(text)) add(field, 'has control characters')
    else if (splitPattern(text) === undefined) add(field, 'has a "${" that is not closed or names no variable')
    else if (field === 'C' && text !== '' && !text.includes('${') && !/^[A-Za-z]{2}$/.test(text)) add(field, 'is not two letters')
  }
  return problems
}

/**
 * Reads a pattern that is written as one text, such as `CN=${name},O=Example\, Inc.,C=DE`, with the escapes of RFC 4514.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for what is no name, for other fields, and for a field that is there twice.
 */
export function parseSubjectPattern(text: string): SubjectPattern {
  const pattern: { [field in SubjectField]?: string } = {}
  for (const { type, value } of parseName(text)) {
    if (!isSubjectField(type)) throw refused(`${type} is not one of ${subjectFields.join(', ')}`)
    if (pattern[type] !== undefined) throw refused(`${type} is there twice`)
    pattern[type] = value
  }
  const complete: SubjectPattern = { ...pattern, CN: pattern.CN ?? '' }
  const [problem] = checkSubjectPattern(complete)
  if (problem !== undefined) throw refused(`${String(problem.path[1])} ${problem.message}`)
  return complete
}

function isSubjectField(text: string): text is SubjectField {
  return (subjectFields as readonly string[]).includes(text)
}

function refused(problem: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `subject pattern: ${problem}`)
}
