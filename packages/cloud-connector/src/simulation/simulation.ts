import type { AuditSink } from '@sallyport/core'
import type { WirePrincipal } from '@sallyport/tunnel'
import { shownText } from '../http/refusals.ts'
import type { PrincipalPreview } from '../principal/principal-handling.ts'
import type { TunnelLink } from '../tunnel-link.ts'
import { simulateRequest } from './simulate-request.ts'
import type { RequestSimulation, SimulatedRequest } from './simulated-request.ts'

/** What would become of tokens and requests of one subaccount and location. `user` is who asks, for the audit log, which never has the token. */
export interface Simulation {
  /** Who the principal of a token would be to a backend: the rule that fires and the certificate, or why there is none. */
  principal(token: WirePrincipal, user: string): Promise<PrincipalPreview>
  /** What would be decided about a request. Nothing is sent. */
  request(request: SimulatedRequest, user: string): Promise<RequestSimulation>
}

/** Simulates with what decides now. */
export function simulationOf({ identity, loaded }: Pick<TunnelLink, 'identity' | 'loaded'>, audit: Pick<AuditSink, 'write'>): Simulation {
  const { subaccount } = identity
  const { state } = loaded
  const record = (user: string, message: string): void => {
    audit.write({ type: 'access-simulated', subaccount, user: shownText(user), message: `User ${shownText(user)} ${message}` })
  }
  return {
    async principal(token, user) {
      const preview = await state.principals.preview(token)
      const whose = preview.kind === 'trusted' ? `the user ${shownText(preview.user)}` : 'somebody whose token is not trusted'
      record(user, `looked what would become of ${whose}; nothing was issued`)
      return preview
    },
    async request(request, user) {
      const simulated = await simulateRequest(state, request)
      const { functionName, host, path, port } = request
      const what =
        functionName === undefined
          ? path === undefined
            ? ''
            : `resource ${shownText(path)} on `
          : `function ${shownText(functionName)} on `
      record(
        user,
        `looked whether ${what}system ${shownText(host)}:${port} would be admitted (${simulated.allowed ? 'yes' : 'no'}); nothing was sent`,
      )
      return simulated
    },
  }
}
