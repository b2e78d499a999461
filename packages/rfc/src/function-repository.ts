import type { Clock } from '@sallyport/core'
import type { FunctionDescription } from './function-description.ts'
import { maxFunctionDescriptions } from './limits.ts'

/** Descriptions of function modules that a client has looked up. */
export interface FunctionRepository {
  /** The description that is kept, or what `lookUp` finds. Failures are not kept. */
  describe(functionName: string, lookUp: () => Promise<FunctionDescription>): Promise<FunctionDescription>
}

/** Makes an empty one. With `maxAgeMs` 0 descriptions are kept for good; the least recently used go first when there are too many. */
export function createFunctionRepository({ clock, maxAgeMs }: { readonly clock: Clock; readonly maxAgeMs: number }): FunctionRepository {
  const kept = new Map<string, { readonly description: FunctionDescription; readonly sinceMs: number }>()
  return {
    async describe(functionName, lookUp) {
      const entry = kept.get(functionName)
      kept.delete(functionName)
      if (entry !== undefined && (maxAgeMs === 0 || clock.now() - entry.sinceMs < maxAgeMs)) {
        kept.set(functionName, entry)
        return entry.description
      }
      const description = await lookUp()
      kept.set(functionName, { description, sinceMs: clock.now() })
      if (kept.size > maxFunctionDescriptions) kept.delete(kept.keys().next().value ?? '')
      return description
    },
  }
}
