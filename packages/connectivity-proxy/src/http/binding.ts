import type { Refusal } from '../refusal.ts'
import * as refusals from '../refusals.ts'
import type { RequestTarget } from '../request-report.ts'
import { formatTunnelId, type WirePrincipal } from '@sallyport/tunnel'
import type { Caller } from './caller.ts'
import type { RequestPlan } from './request-plan.ts'

/** What the first request of a connection settles for all that follow. */
export interface Binding extends RequestTarget {
  /** Identity of the principal; `undefined` for none. */
  readonly identity: string | undefined
}

/** What a request would bind its connection to. */
export function bindingOf(plan: RequestPlan, caller: Caller): Binding {
  return {
    tenant: caller.tenant,
    locationId: plan.controls.locationId,
    host: plan.host,
    port: plan.port,
    identity: caller.principal?.identity,
  }
}

/** Why a request must not use a connection that is bound like this; `undefined` when it may. The texts are those of the original, which clients know. */
export function conflictOf(binding: Binding, wanted: Binding, target: string): Refusal | undefined {
  if (binding.tenant !== wanted.tenant || binding.locationId !== wanted.locationId) {
    return refusals.reboundTunnel(formatTunnelId(binding.tenant, binding.locationId))
  }
  const refuse = (reason: string): Refusal =>
    refusals.reboundSystem(target.split('?', 1)[0] ?? '', wanted.host, wanted.port, `connection rebound: ${reason}`)
  const bound = `${binding.host}:${binding.port}`
  if (binding.host !== wanted.host || binding.port !== wanted.port) {
    return refuse(`it is bound to ${bound}, and the request is for ${wanted.host}:${wanted.port}`)
  }
  if (binding.identity !== wanted.identity) return refuse(`it is bound to another principal for ${bound}`)
  return undefined
}

/** Whether two requests carry the same token, not only the same principal. */
export function isSameToken(a: WirePrincipal | undefined, b: WirePrincipal | undefined): boolean {
  return a === b || (a?.kind === b?.kind && a?.token === b?.token)
}
