import { levelOf } from '../access/caller.ts'
import type { Caller } from '../access/caller.ts'
import { failedEntry } from '../authentication/auth-token-entry.ts'
import type { AuthenticationOutcome } from '../authentication/authentication-request.ts'
import type { EntityRepository } from '../entities/entity-repository.ts'
import { type FindHeaders, noFindHeaders } from '../find/find-headers.ts'
import { type ResolvedDestination, resolveDestination } from '../find/resolve-destination.ts'
import type { ChainCall } from './chain-call.ts'
import { runChain } from './run-chain.ts'

/** The destination that is looked up, and what the caller said. */
interface LastStep {
  readonly found: ResolvedDestination
  readonly headers: FindHeaders
}

/**
 * Carries out the authentication of a destination with what a chain of others yields. The others are looked up as find does it: on the caller's instance level,
 * then on its subaccount's. A chain that breaks is an entry with `error`, because the last destination as such was found.
 */
export async function authenticateThroughChain(
  call: ChainCall,
  { found, headers }: LastStep,
  deps: {
    readonly caller: Caller
    readonly repository: EntityRepository
    readonly authenticate: (destination: ResolvedDestination, headers: FindHeaders) => Promise<AuthenticationOutcome>
  },
): Promise<AuthenticationOutcome> {
  const levels = [levelOf(deps.caller, 'instance'), levelOf(deps.caller, 'subaccount')]
  const result = await runChain(call, found.configuration, {
    async authenticate({ name, fragments, fragmentOptional, headers: said, suits }) {
      const step = await resolveDestination(deps.repository, {
        name,
        levels,
        fragments: { locate: (fragment, level) => ({ name: fragment, level }), references: fragments, optional: fragmentOptional },
      })
      if ('answer' in step) return undefined
      const problem = suits(step.configuration)
      return problem === undefined ? deps.authenticate(step, { ...noFindHeaders, ...said }) : { problem }
    },
  })
  if ('problem' in result) return { authTokens: [failedEntry(result.problem)] }
  // A user token out of the chain says itself whose tenant is meant.
  const tenant = result.headers.userToken === undefined ? headers.tenant : undefined
  return deps.authenticate(found, { ...headers, tenant, ...result.headers })
}
