import type { TokenVerifier } from '@sallyport/token-verifier'
import { type Admission, createTokenGate, type Tenancy, type TokenGate } from '../admission.ts'
import type { IdentityServices } from '../identity-services.ts'
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

/** What a listener knows about authorization; shared by its connections. */
export interface CallerPolicy {
  readonly gate: TokenGate
  readonly decode: TokenVerifier['decode']
  /** `Proxy-Authorization` is demanded. Otherwise it is ignored, and the tenant is the fixed one or that of the service token. */
  readonly authorization: boolean
  /** Of everybody, when no token is asked for. */
  readonly fixed: Admission | undefined
}

/** The policy of one listener. */
export function createCallerPolicy(options: {
  readonly verifier: TokenVerifier
  readonly authorization: boolean
  readonly tenancy: Tenancy
  readonly allowedClients: { has(clientId: string): boolean }
  readonly identityServices: IdentityServices | undefined
}): CallerPolicy {
  const { verifier, authorization, tenancy, identityServices } = options
  return {
    gate: createTokenGate({ verifier, tenancy, allowedClients: authorization ? options.allowedClients : undefined, identityServices }),
    decode: (token) => verifier.decode(token),
    authorization,
    fixed: !authorization && tenancy.mode === 'dedicated' ? { tenant: tenancy.subaccount, client: '', user: undefined } : undefined,
  }
}

/** Finds out for whom the requests of one connection are made; remembers the last answer, because most requests repeat it. */
export class CallerCheck {
  private readonly policy: CallerPolicy
  private header: string | undefined
  private token: string | undefined
  private admission: Admission | undefined
  private business: string | undefined
  private technical: string | undefined
  private caller: Caller | Refusal | undefined

  constructor(policy: CallerPolicy) {
    this.policy = policy
  }

  /** Without waiting; `undefined`: ask {@link verify}. */
  peek(controls: ControlHeaders): Caller | Refusal | undefined {
    const { fixed, gate } = this.policy
    if (fixed !== undefined) return this.judge(fixed, controls)
    const refused = this.readToken(controls)
    if (refused !== undefined) return refused
    const admitted = gate.peek(this.token ?? '')
    return admitted === undefined ? undefined : this.judge(admitted, controls)
  }

  async verify(controls: ControlHeaders): Promise<Caller | Refusal> {
    return this.readToken(controls) ?? this.judge(await this.policy.gate.verify(this.token ?? ''), controls)
  }

  /** Puts the token that decides into `token`, or says why there is none. */
  private readToken(controls: ControlHeaders): Refusal | undefined {
    const { authorization } = this.policy
    const value = authorization ? controls.proxyAuthorization : controls.serviceToken
    if (value === undefined) return authorization ? refusals.tokenMissing : refusals.serviceTokenMissing
    if (value !== this.header) {
      this.header = value
      this.token = authorization ? proxyToken(value) : value
    }
    return this.token === undefined ? refusals.tokenUnreadable : undefined
  }

  private judge(admitted: Admission | Refusal, controls: ControlHeaders): Caller | Refusal {
    if (isRefusal(admitted)) return admitted
    const { userAuthentication: business, technicalAuthentication: technical } = controls
    const isRepeated = admitted === this.admission && business === this.business && technical === this.technical
    if (isRepeated && this.caller !== undefined) return this.caller
    this.admission = admitted
    this.business = business
    this.technical = technical
    // A user inside the service token of a trusted listener only names the tenant.
    const isUser = this.policy.authorization && admitted.user !== undefined
    const proxyUser = isUser ? { token: this.token ?? '', identity: admitted.user } : undefined
    const principal = choosePrincipal({ tenant: admitted.tenant, proxyUser, business, technical }, this.policy.decode)
    this.caller =
      principal !== undefined && isRefusal(principal) ? principal : { tenant: admitted.tenant, client: admitted.client, principal }
    return this.caller
  }
}
