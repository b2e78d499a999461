import type { Reachability } from '@sallyport/cloud-connector'
import type { AdministeredMapping } from '../document/administered-mapping.ts'
import { maxAvailabilityResults } from '../limits.ts'

/** What is known about the availability of backends. It lives as long as the process. */
export interface Availability {
  /** The result for a mapping, from whichever mapping it was checked; `undefined`: not checked yet. */
  of(mapping: AdministeredMapping): Reachability | undefined
  /** Checks now, and remembers. Never fails: what keeps the check from being made is the result. */
  check(mapping: AdministeredMapping, look: () => Promise<Reachability>): Promise<Reachability | undefined>
}

/** Mappings that lead to the same host and port with the same protocol share one result. */
export function createAvailability(): Availability {
  const results = new Map<string, Reachability>()
  const keyOf = ({ localHost, localPort, protocol }: AdministeredMapping): string => `${protocol} ${localHost.toLowerCase()}:${localPort}`
  return {
    of: (mapping) => results.get(keyOf(mapping)),
    async check(mapping, look) {
      try {
        const result = await look()
        results.delete(keyOf(mapping))
        results.set(keyOf(mapping), result)
        const [oldest] = results.keys()
        if (results.size > maxAvailabilityResults && oldest !== undefined) results.delete(oldest)
        return result
      } catch {
        // There is no tunnel that the backend could be used through, or whoever asked has gone, so there is nothing to say about it.
        return undefined
      }
    },
  }
}
