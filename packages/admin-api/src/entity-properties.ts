import { maxPropertyKeyBytes, maxPropertyValueBytes } from './limits.ts'

/** The properties of something that came from outside, in the form in which they are stored, or why they cannot be. */
export type PropertiesVerdict =
  | { readonly valid: true; readonly properties: Record<string, string>; readonly sharedWithSubscriber: boolean }
  | { readonly valid: false; readonly problem: string }

const sharedKey = 'shared_with_subscriber'

/**
 * Reads a flat record: numbers and booleans become texts, `$metadata` is taken out. Stops at the first problem, so that hostile input costs no more than
 * reading it.
 */
export function readProperties(value: object): PropertiesVerdict {
  let sharedWithSubscriber = false
  const properties: Record<string, string> = {}
  for (const [key, property] of Object.entries(value) as [string, unknown][]) {
    if (key === '$metadata' || key === `$metadata.${sharedKey}`) {
      const shared = key === '$metadata' ? readShared(property) : readFlag(property)
      if (shared === undefined) return { valid: false, problem: `$metadata.${sharedKey} must be true or false` }
      sharedWithSubscriber ||= shared
      continue
    }
    const problem = problemOf(key, property)
    if (problem !== undefined) return { valid: false, problem }
    properties[key] = String(property)
  }
  return { valid: true, properties, sharedWithSubscriber }
}

function problemOf(key: string, value: unknown): string | undefined {
  const shown = JSON.stringify(key.slice(0, 80))
  if (key === '' || isLonger(key, maxPropertyKeyBytes)) return `The name of a property must have 1 to ${maxPropertyKeyBytes} bytes`
  if (key === '__proto__' || !key.isWellFormed()) return `Property ${shown} has a name that cannot be stored`
  if (typeof value === 'number' || typeof value === 'boolean') return undefined
  if (typeof value !== 'string') return `Property ${shown} must be a string, number or boolean`
  if (isLonger(value, maxPropertyValueBytes)) return `Property ${shown} is longer than ${maxPropertyValueBytes} bytes`
  if (!value.isWellFormed()) return `Property ${shown} is not well-formed Unicode`
  return undefined
}

/** Whether a text takes more bytes in UTF-8; encodes only what its length does not decide. Runs in browsers too, hence no `Buffer`. */
function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes
}

/** `$metadata` as lists return it may come back in a write; only the flag means something there. */
function readShared(metadata: unknown): boolean | undefined {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return undefined
  return Object.hasOwn(metadata, sharedKey) ? readFlag((metadata as Record<string, unknown>)[sharedKey]) : false
}

function readFlag(value: unknown): boolean | undefined {
  const text = String(value).toLowerCase()
  return text === 'true' ? true : text === 'false' ? false : undefined
}
