import type { IncomingHttpHeaders } from 'node:http'
import { malformed } from '../http/answer.ts'
import { type Chain, predefinedChains } from './chain.ts'

/** A chain that somebody wants run, and with what. */
export interface ChainCall {
  readonly chain: Chain
  /** The value of a variable; `undefined` for one that was not sent or is empty. */
  variable(name: string): string | undefined
}

/** Headers with variables begin like this; the rest is the variable's name. */
export const chainVariablePrefix = 'x-chain-var-'

/**
 * Reads which chain a caller wants; without `X-chain-name`, none, whatever variables there are.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for an unknown chain, a missing variable, or a flag that is neither true nor false.
 */
export function parseChainCall(headers: IncomingHttpHeaders, chains: readonly Chain[] = predefinedChains): ChainCall | undefined {
  const read = (header: string): string | undefined => {
    const value = headers[header]
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
  }
  const name = read('x-chain-name')
  if (name === undefined) return undefined
  const chain = chains.find((candidate) => candidate.name === name)
  if (chain === undefined)
    throw malformed(`There is no destination chain of that name; there are ${chains.map((known) => known.name).join(', ')}`)
  const variable = (wanted: string): string | undefined => read(chainVariablePrefix + wanted.toLowerCase())
  const missing = chain.variables.filter((wanted) => variable(wanted) === undefined)
  if (missing.length > 0)
    throw malformed(`The destination chain ${name} needs the headers ${missing.map((wanted) => `X-chain-var-${wanted}`).join(', ')}`)
  for (const { fragments } of chain.steps) {
    if (!['true', 'false', undefined].includes(variable(fragments.optional)?.toLowerCase()))
      throw malformed(`The header X-chain-var-${fragments.optional} must be true or false`)
  }
  return { chain, variable }
}
