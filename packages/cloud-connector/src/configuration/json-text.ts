/**
 * The value of a text that is a JSON object, without the tree that places need: a hundred thousand resources are read in a fraction of a second. `undefined`
 * for everything else, and for an object that names a member twice, of which JSON takes the last without a word.
 */
export function tryParseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^\s*\{/.test(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return countMembers(value) === countWrittenMembers(text) ? (value as Record<string, unknown>) : undefined
  } catch {
    // No JSON, or nested too deeply: it may still be YAML, which is tried next and says what is wrong.
    return undefined
  }
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value)
  return inner.reduce<number>((sum, each) => sum + countMembers(each), Array.isArray(value) ? 0 : inner.length)
}

/** Strings with a colon behind them; the text is known to be JSON. */
function countWrittenMembers(text: string): number {
  let count = 0
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*(:)?/g)) if (colon !== undefined) count += 1
  return count
}
