import { type Answer, refuse } from '../http/answer.ts'
import { applyInstanceParameters } from '../instance-parameters/apply-instance-parameters.ts'
import { administeredLevel } from './administered-level.ts'
import type { AdministrationContext, AdministrationRequest } from './administration-context.ts'
import type { RouteParameters } from './administration-route.ts'

/** Applies the parameters of an instance, for those who manage everything that the parameters may touch. */
export async function putInstanceParameters(
  { administrator, ...request }: AdministrationRequest,
  context: AdministrationContext,
  { instance: instanceId = '' }: RouteParameters,
): Promise<Answer> {
  const touchesSubaccount = Object.hasOwn(initialData(request.body), 'subaccount')
  for (const area of ['destinations', 'certificates'] as const) {
    for (const wanted of [instanceId, ...(touchesSubaccount ? [undefined] : [])]) {
      const target = await administeredLevel(administrator, { instanceId: wanted, area, action: 'manage' }, context)
      if ('answer' in target) return target.answer
      if (target.instance !== undefined && target.instance.subaccountId !== administrator.subaccountId)
        return refuse(403, 'The parameters of an instance are given in its own subaccount')
    }
  }
  const { subaccountId, user } = administrator
  const caller = { subaccountId, instance: { instanceId, subaccountId }, isProvider: true, user, tokenKind: 'XSUAA' } as const
  const outcome = await applyInstanceParameters(
    { ...request, caller },
    { ...context, settings: context.administration.settings },
    request.body,
    { remembered: false },
  )
  if (!outcome.applied) return refuse(outcome.status, outcome.message)
  const count = (verb: 'created' | 'replaced'): number => outcome.stored.filter((change) => change.verb === verb).length
  return { status: 200, body: { created: count('created'), replaced: count('replaced'), kept: outcome.kept } }
}

/** What an instance remembers of its parameters: who may see and change what the application shares. */
export async function getInstanceSettings(
  { administrator }: AdministrationRequest,
  context: AdministrationContext,
  { instance: instanceId = '' }: RouteParameters,
): Promise<Answer> {
  const target = await administeredLevel(administrator, { instanceId, area: 'destinations', action: 'view' }, context)
  if ('answer' in target) return target.answer
  if (target.level.sharedOnly === true) return refuse(403, 'The settings of an instance are shown in its own subaccount')
  const { html5RuntimeEnabled, subscriberAccess } = await context.administration.settings.find(instanceId)
  return { status: 200, body: { html5RuntimeEnabled, subscriberAccess } }
}

function initialData(body: unknown): object {
  const data = typeof body === 'object' && body !== null && 'init_data' in body ? body.init_data : undefined
  return typeof data === 'object' && data !== null ? data : {}
}
