import { type Label, maxLabels, maxLabelValues } from '@sallyport/admin-api'
import { malformed } from '../http/answer.ts'

/**
 * Adds keys and values to labels; what is there already is not doubled.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` when there would be too many.
 */
export function addLabels(labels: readonly Label[], added: readonly Label[]): readonly Label[] {
  const merged = new Map<string, Set<string>>(labels.map(({ key, values }) => [key, new Set(values)]))
  for (const { key, values } of added) merged.set(key, new Set([...(merged.get(key) ?? []), ...values]))
  if (merged.size > maxLabels) throw malformed(`An entity can have ${maxLabels} labels at most`)
  for (const [key, values] of merged) {
    if (values.size > maxLabelValues) throw malformed(`The label "${key}" can have ${maxLabelValues} values at most`)
  }
  return [...merged].map(([key, values]) => ({ key, values: [...values] }))
}

/** Takes away the values that are named; a label goes when none is named, and when its last value goes. */
export function removeLabels(labels: readonly Label[], removed: readonly Label[]): readonly Label[] {
  return labels.flatMap((label) => {
    const named = removed.filter(({ key }) => key === label.key)
    if (named.length === 0) return [label]
    if (named.some(({ values }) => values.length === 0)) return []
    const values = label.values.filter((value) => !named.some((other) => other.values.includes(value)))
    return values.length === 0 ? [] : [{ key: label.key, values }]
  })
}
