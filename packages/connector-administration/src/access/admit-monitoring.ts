import type { AdmitMonitoring } from '@sallyport/cloud-connector'
import { passwordChangeNeeded } from '../rest/rest-error.ts'
import type { Authenticate } from '../rest/route.ts'
import { permits } from './roles.ts'

/** Lets administrators and those with the role for monitoring use the monitoring interfaces. */
export function createAdmitMonitoring(authenticate: Authenticate): AdmitMonitoring {
  return async (request, reply) => {
    reply.header('cache-control', 'no-store')
    const caller = await authenticate(request, reply)
    if (caller === undefined) return reply
    if (!caller.initialPassword && permits('monitoring', caller)) return undefined
    const message = caller.initialPassword ? passwordChangeNeeded : 'the role Administrator or Monitoring is needed'
    return reply.code(403).send({ type: 'FORBIDDEN_REQUEST', message })
  }
}
