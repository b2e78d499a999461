import type { FindHeaders } from '../find/find-headers.ts'

/** Several destinations of which each gets the token of the one before; the last one is the destination that is looked up. Pure data. */
export interface Chain {
  readonly name: string
  /** What callers have to say in `X-chain-var-…` headers. */
  readonly variables: readonly string[]
  /** What comes before the destination that is looked up. */
  readonly steps: readonly [ChainStep, ...ChainStep[]]
  /** Properties that the destination which is looked up must have. */
  readonly last: Readonly<Record<string, string>>
}

/** One destination of a chain. All texts but `needs` are names of variables. */
export interface ChainStep {
  readonly destination: string
  /** One or more fragments, and whether a single one may be missing; callers may leave both out. */
  readonly fragments: { readonly names: string; readonly optional: string }
  /** Which headers the destination is looked up with. */
  readonly inputs: ChainInputs
  /** Properties that it must have. */
  readonly needs: Readonly<Record<string, string>>
  /** As which header of the next destination its token goes on. */
  readonly output: 'userToken' | 'samlAssertion'
}

/** Headers of a step and the variables that they come from. */
interface ChainInputs {
  readonly userToken?: string
  readonly subjectToken?: { readonly value: string; readonly type: string }
}

/** Headers as a chain sets them; they win over what the caller sent under the same names. */
export type ChainHeaders = Partial<Pick<FindHeaders, 'userToken' | 'samlAssertion' | 'subjectToken' | 'tenant'>>

/** The chains that the original has. Names are compared as they are, those of variables without regard to case. */
export const predefinedChains: readonly Chain[] = [
  {
    name: 'com.sap.iasGeneratedOAuth2SamlBearerAssertion',
    variables: ['samlProviderDestinationName', 'subjectToken', 'subjectTokenType'],
    steps: [
      {
        destination: 'samlProviderDestinationName',
        fragments: { names: 'samlProviderFragmentName', optional: 'samlProviderFragmentOptional' },
        inputs: { subjectToken: { value: 'subjectToken', type: 'subjectTokenType' } },
        needs: { Authentication: 'OAuth2TokenExchange' },
        output: 'samlAssertion',
      },
    ],
    last: { Authentication: 'OAuth2SAMLBearerAssertion', SAMLAssertionProvider: 'ClientProvided' },
  },
  {
    name: 'com.sap.sequentialUserPropagation',
    variables: ['tokenTransformationDestinationName', 'userToken'],
    steps: [
      {
        destination: 'tokenTransformationDestinationName',
        fragments: { names: 'tokenTransformationFragmentName', optional: 'tokenTransformationFragmentOptional' },
        inputs: { userToken: 'userToken' },
        needs: {},
        output: 'userToken',
      },
    ],
    last: {},
  },
]
