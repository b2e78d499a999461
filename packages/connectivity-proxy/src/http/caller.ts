import type { TokenVerifier } from '@sallyport/token-verifier'
import { type Admission, createTokenGate, type Tenancy, type TokenGate } from '../admission.ts'
import { type ChosenPrincipal, choosePrincipal } from '../principal.ts'
import { proxyToken } from '../proxy-authorization.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import * as refusals from '../refusals.ts'
import type { ControlHeaders } from './request-plan.ts'

/** For whom a request is made. */
export interface Caller {
  readonly tenant: string
  readonly client: string
  readonly principal: ChosenPrincipal | undefined
}

/** Finds out for whom the requests of one connection are made; remembers the last answer, because most requests repeat it. */
export interface CallerCheck {
  /** Without waiting; `undefined`: ask {@link verify}. */
  peek(controls: ControlHeaders): Caller | Refusal | undefined
  verify(controls: ControlHeaders): Promise<Caller | Refusal>
}

/** What a listener knows about authorization; shared by its connections. */
export interface CallerPolicy {
  readonly verifier: TokenVerifier
  /** `Proxy-Authorization` is demanded. Otherwise it is ignored, and the tenant is the configured one or that of the service token. */
  readonly authorization: boolean
  readonly tenancy: Tenancy
  readonly gate: TokenGate
}

export function createCallerPolicy(options: {
  readonly verifier: TokenVerifier
  readonly authorization: boolean
  readonly tenancy: Tenancy
  readonly allowedClients: { has(clientId: string): boolean }
}): CallerPolicy {
  const { verifier, authorization, tenancy } = options
  return {
    verifier,
    authorization,
    tenancy,
    gate: createTokenGate({ ...options, allowedClients: authorization ? options.allowedClients : undefined }),
  }
}

export function createCallerCheck(policy: CallerPolicy): CallerCheck {
  const { verifier, authorization, tenancy, gate } = policy
  const decode = (token: string): ReturnType<TokenVerifier['decode']> => verifier.decode(token)
  const fixed: Admission | undefined =
    !authorization && tenancy.mode === 'dedicated' ? { tenant: tenancy.subaccount, client: '', user: undefined } : undefined
  let header: string | undefined
  let token: string | undefined
  let admission: Admission | undefined
  let business: string | undefined
  let technical: string | undefined
  let caller: Caller | Refusal | undefined

  /** The token that decides, in `token`; or why there is none. */
  function readToken(controls: ControlHeaders): Refusal | undefined {
    const value = authorization ? controls.proxyAuthorization : controls.serviceToken
    if (value === undefined) return authorization ? refusals.tokenMissing : refusals.serviceTokenMissing
    if (value === header && token !== undefined) return undefined
    token = authorization ? proxyToken(value) : value
    header = value
    return token === undefined ? refusals.tokenUnreadable : undefined
  }

  function judge(admitted: Admission | Refusal, controls: ControlHeaders): Caller | Refusal {
    if (isRefusal(admitted)) return admitted
    const { userAuthentication, technicalAuthentication } = controls
    if (caller !== undefined && admitted === admission && userAuthentication === business && technicalAuthentication === technical)
      return caller
    admission = admitted
    business = userAuthentication
    technical = technicalAuthentication
    // A user inside the service token of a trusted listener only names the tenant.
    const proxyUser = authorization && admitted.user !== undefined ? { token: token ?? '', identity: admitted.user } : undefined
    const principal = choosePrincipal({ tenant: admitted.tenant, proxyUser, business, technical }, decode)
    caller = principal !== undefined && isRefusal(principal) ? principal : { tenant: admitted.tenant, client: admitted.client, principal }
    return caller
  }

  return {
    peek(controls) {
      if (fixed !== undefined) return judge(fixed, controls)
      const refused = readToken(controls)
      if (refused !== undefined) return refused
      const admitted = gate.peek(token ?? '')
      return admitted === undefined ? undefined : judge(admitted, controls)
    },
    async verify(controls) {
      const refused = fixed === undefined ? readToken(controls) : undefined
      if (refused !== undefined) return refused
      return judge(fixed ?? (await gate.verify(token ?? '')), controls)
    },
  }
}
