import { infrastructureFunctions, shippingFunctions } from '@sallyport/rfc-wire'

/** A function module, or the beginning of names, that an RFC mapping admits. */
export interface FunctionResource {
  readonly name: string
  /** This name alone; otherwise every name that begins with it. */
  readonly exactMatchOnly: boolean
  /** A suspended one stays configured and admits nothing. */
  readonly enabled: boolean
  readonly description: string
}

/** Why a function may be called, or why not. */
type FunctionVerdict =
  | { readonly allowed: true; readonly by: 'infrastructure' | FunctionResource }
  | { readonly allowed: false; readonly reason: string }

/** What one mapping admits, arranged so that a decision costs a look-up per length of a prefix. */
export interface FunctionList {
  /** Decides about one name, as it stands on the wire: case-sensitive, without blanks behind it. */
  decide(functionName: string): FunctionVerdict
  /** Up to `count` enabled entries, for explanations. */
  sample(count: number): readonly FunctionResource[]
}

const infrastructure: FunctionVerdict = { allowed: true, by: 'infrastructure' }

/**
 * Arranges the functions of a mapping. Those that clients call by themselves, to log on and to learn interfaces, need no entry. Functions that carry the calls of
 * others in their tables need one of their own: a prefix does not admit them, because nobody who writes `ARFC_` thinks of every function there is.
 */
export function createFunctionList(functions: readonly FunctionResource[]): FunctionList {
  const enabled = functions.filter((entry) => entry.enabled)
  const verdictOf = (entry: FunctionResource): FunctionVerdict => ({ allowed: true, by: entry })
  const exact = new Map(enabled.filter((entry) => entry.exactMatchOnly).map((entry) => [entry.name, verdictOf(entry)]))
  const prefixes = new Map(enabled.filter((entry) => !entry.exactMatchOnly).map((entry) => [entry.name, verdictOf(entry)]))
  const lengths = [...new Set([...prefixes.keys()].map((prefix) => prefix.length))].toSorted((a, b) => b - a)
  return {
    sample: (count) => enabled.slice(0, count),
    decide(functionName) {
      const named = exact.get(functionName)
      if (named !== undefined) return named
      if (infrastructureFunctions.has(functionName)) return infrastructure
      if (shippingFunctions.has(functionName))
        return { allowed: false, reason: 'it ships calls of other functions and is admitted by its exact name only' }
      for (const length of lengths) {
        const begun = prefixes.get(functionName.slice(0, length))
        if (begun !== undefined) return begun
      }
      return { allowed: false, reason: 'no enabled function of the mapping admits it' }
    },
  }
}
