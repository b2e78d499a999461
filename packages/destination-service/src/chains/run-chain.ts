import type { DestinationRecord } from '@sallyport/admin-api'
import type { AuthenticationOutcome } from '../authentication/authentication-request.ts'
import type { ChainCall } from './chain-call.ts'
import type { ChainHeaders, ChainStep } from './chain.ts'

/** How a chain reaches its destinations. */
export interface ChainDestinations {
  /**
   * Looks a destination up and carries out its authentication with these headers and no others; `undefined` when it, or a fragment that must be there, does
   * not exist. `suits` is asked before anything is called, and returns why the destination cannot be used.
   */
  authenticate(wanted: {
    readonly name: string
    readonly fragments: readonly string[]
    readonly fragmentOptional: boolean
    readonly headers: ChainHeaders
    readonly suits: (configuration: DestinationRecord) => string | undefined
  }): Promise<AuthenticationOutcome | { readonly problem: string } | undefined>
}

/** What a chain leads to: headers for the last destination, or why it broke. */
export type ChainResult = { readonly headers: ChainHeaders } | { readonly problem: string }

/** Goes through the destinations before the last one. The outcome of each but the last step is seen by nobody. */
export async function runChain(
  { chain, variable }: ChainCall,
  last: DestinationRecord,
  destinations: ChainDestinations,
): Promise<ChainResult> {
  const unsuited = missingProperty(last, chain.last)
  if (unsuited !== undefined) return { problem: `The destination chain ${chain.name} needs a last destination with ${unsuited}` }
  let passed: ChainHeaders = {}
  for (const step of chain.steps) {
    const name = variable(step.destination) ?? ''
    const broken = (why: string): ChainResult => ({ problem: `The destination "${name}" of the chain ${chain.name} ${why}` })
    // oxlint-disable-next-line no-await-in-loop -- each step needs the one before
    const outcome = await destinations.authenticate({
      name,
      fragments: (variable(step.fragments.names) ?? '').split(',').flatMap((fragment) => fragment.trim() || []),
      fragmentOptional: variable(step.fragments.optional)?.toLowerCase() === 'true',
      headers: { ...passed, ...inputsOf(step, variable) },
      suits: (configuration) => missingProperty(configuration, step.needs),
    })
    if (outcome === undefined) return broken('or one of its fragments was not found')
    if ('problem' in outcome) return broken(`needs ${outcome.problem}`)
    const [token] = outcome.authTokens ?? []
    if (token === undefined) return broken('yields no token')
    if (token.error !== undefined) return broken(`yields no token: ${token.error}`)
    passed = { [step.output]: token.value }
  }
  return { headers: passed }
}

function inputsOf({ inputs }: ChainStep, variable: ChainCall['variable']): ChainHeaders {
  const { userToken, subjectToken } = inputs
  return {
    ...(userToken === undefined ? {} : { userToken: variable(userToken) }),
    ...(subjectToken === undefined
      ? {}
      : { subjectToken: { value: variable(subjectToken.value) ?? '', type: variable(subjectToken.type) ?? '' } }),
  }
}

function missingProperty(configuration: DestinationRecord, needed: Readonly<Record<string, string>>): string | undefined {
  const [property] = Object.entries(needed).filter(([name, value]) => configuration[name] !== value)
  return property?.join('=')
}
