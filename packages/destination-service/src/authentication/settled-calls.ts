import type { DestinationRecord } from '@sallyport/admin-api'
import type { AuthenticationRequest } from './authentication-request.ts'
import type { OutgoingRequest } from './outgoing-request.ts'
import type { TokenOrder } from './token-calls.ts'
import { isCommon } from './token-url.ts'

/** Remembers calls that follow from a configuration alone, so that looking a destination up again does not put them together again. */
export interface SettledCalls {
  /** The call that was remembered, or what `prepare` returns. */
  get(request: AuthenticationRequest, order: TokenOrder, prepare: () => Promise<OutgoingRequest>): Promise<OutgoingRequest>
  /** The name under which the token of such a call is kept, or what `make` returns. */
  digest(call: unknown, make: () => string): string
}

/**
 * Keeps calls as long as somebody holds the configuration, which is another object after every change. An order counts as the same when it is the same
 * object.
 */
export function createSettledCalls(): SettledCalls {
  const calls = new WeakMap<DestinationRecord, WeakMap<TokenOrder, OutgoingRequest>>()
  const digests = new WeakMap<object, string>()
  return {
    async get(request, order, prepare) {
      const { configuration } = request
      const known = calls.get(configuration)?.get(order)
      if (known !== undefined && isAlone(request, order)) return known
      const call = await prepare()
      if (isAlone(request, order)) {
        const ofConfiguration = calls.get(configuration) ?? new WeakMap<TokenOrder, OutgoingRequest>()
        calls.set(configuration, ofConfiguration.set(order, call))
        digests.set(call, '')
      }
      return call
    },
    digest(call, make) {
      const known = typeof call === 'object' && call !== null ? digests.get(call) : undefined
      if (known !== undefined && known !== '') return known
      const digest = make()
      if (known === '') digests.set(call as object, digest)
      return digest
    },
  }
}

/** Whether neither headers nor other entities have a say in the call. */
function isAlone({ configuration, headers }: AuthenticationRequest, { tenant }: TokenOrder): boolean {
  if (tenant !== 'header' || isCommon(configuration)) return false
  if ((headers.tenant ?? headers.assertion ?? headers.assertionProvider) !== undefined) return false
  return namingOthers.every((property) => !configuration[property])
}

const namingOthers = ['clientAssertion.destinationName', 'TrustStoreLocation', 'KeyStoreLocation', 'tokenService.KeyStoreLocation']
