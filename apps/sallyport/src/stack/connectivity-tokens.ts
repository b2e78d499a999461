import { type Clock, ConnectivityError, createSecret, type Secret } from '@sallyport/core'
import type { ServiceInstance } from './instances.ts'
import type { Requester } from './request.ts'
import { parseObject, textOf } from './tokens.ts'

/** Tokens of the connectivity instance, with which the destination service uses the connectivity proxy for a subaccount. */
export interface ConnectivityTokens {
  /** One that lives for another minute at least. @throws ConnectivityError `TOKEN_NOT_ISSUED`, or what the request throws. */
  get(subaccountId: string): Promise<Secret>
  /** Gives up what is remembered for the subaccount: the proxy did not accept it. */
  forget(subaccountId: string): void
}

interface Remembered {
  readonly token: Promise<Secret>
  readonly freshUntilMs: () => number
}

const renewalMs = 60_000
/** As many as anybody has; the oldest give way. */
const maxSubaccounts = 1_000

/** Asks the token service over the wire, once per subaccount and lifetime, as an application would with its binding. */
export function createConnectivityTokens(deps: {
  readonly request: Requester
  readonly tokenServiceUrl: string
  readonly instance: ServiceInstance
  readonly clock: Clock
}): ConnectivityTokens {
  const { request, tokenServiceUrl, instance, clock } = deps
  const remembered = new Map<string, Remembered>()

  function fetchToken(subaccountId: string): Remembered {
    // While the request is under way, everybody waits for it.
    let freshUntilMs = Number.POSITIVE_INFINITY
    const token = (async (): Promise<Secret> => {
      const answer = await request(`${tokenServiceUrl}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', 'x-zid': subaccountId },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: instance.clientId,
          client_secret: instance.clientSecret,
        }).toString(),
      })
      const { access_token: value, expires_in: seconds, error_description: why } = parseObject(await answer.text())
      if (answer.status !== 200 || typeof value !== 'string') {
        throw new ConnectivityError(
          'TOKEN_NOT_ISSUED',
          `the token service refused a token of the connectivity instance for ${subaccountId}: ${textOf(why) || `status ${answer.status}`}`,
        )
      }
      freshUntilMs = clock.now() + (typeof seconds === 'number' ? seconds * 1_000 - renewalMs : 0)
      return createSecret(value)
    })()
    const entry = { token, freshUntilMs: () => freshUntilMs }
    token.catch(() => {
      if (remembered.get(subaccountId) === entry) remembered.delete(subaccountId)
    })
    return entry
  }

  return {
    get(subaccountId) {
      const known = remembered.get(subaccountId)
      if (known !== undefined && clock.now() < known.freshUntilMs()) return known.token
      const fetched = fetchToken(subaccountId)
      remembered.delete(subaccountId)
      remembered.set(subaccountId, fetched)
      const [oldest] = remembered.keys()
      if (remembered.size > maxSubaccounts && oldest !== undefined) remembered.delete(oldest)
      return fetched.token
    },
    forget: (subaccountId) => void remembered.delete(subaccountId),
  }
}
