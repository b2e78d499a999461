import type { Answer } from '../http/answer.ts'
import { apiRoot, type Route } from '../http/route.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'

/** Maintenance of what is remembered of identity services. */
export const identityRoutes: readonly Route[] = [
  {
    method: 'DELETE',
    path: `${apiRoot}/maintenance/v1/caches/ias`,
    description: {
      tag: 'Maintenance',
      summary: 'Forgets which applications of identity services belong to which instance, for the subaccount of the token',
      answers: { 200: { description: 'Forgotten' } },
    },
    answer: clearIdentityRelations,
  },
]

/** The next call of each identity application of the caller's subaccount is looked up anew. */
function clearIdentityRelations({ caller, log }: ServiceRequest, { forgetIdentityRelations }: ServiceContext): Promise<Answer> {
  forgetIdentityRelations(caller.subaccountId)
  log.info({ subaccount: caller.subaccountId }, 'relations of identity applications forgotten')
  return Promise.resolve({ status: 200 })
}
