import { ConnectivityError } from '@sallyport/core'

/** A header without which a flow has nothing to work with. @throws ConnectivityError `TOKEN_INVALID` when it is absent. */
export function requiredHeader(value: string | undefined, name: string): string {
  if (value !== undefined) return value
  throw new ConnectivityError('TOKEN_INVALID', `The header ${name} is missing`)
}
