import type { AdministeredArea, AdministrationAction } from '@sallyport/admin-api'
import type { Level } from '../entities/entity-repository.ts'
import type { Answer } from '../http/answer.ts'
import type { RouteDescription } from '../http/route.ts'
import type { ServiceRequest } from '../http/service-request.ts'
import { type AdministeredLevel, administeredLevel } from './administered-level.ts'
import type { AdministrationContext, AdministrationRequest } from './administration-context.ts'
import type { Administrator } from './administrator.ts'

/** A method and a path of the administration, and what answers there. `:name` and `:instance` stand for one segment, which is decoded. */
export interface AdministrationRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly description: RouteDescription
  answer(request: AdministrationRequest, context: AdministrationContext, parameters: RouteParameters): Promise<Answer>
}

/** What the path of a request says. */
export interface RouteParameters {
  readonly name?: string
  readonly instance?: string
}

/** What all paths of the administration start with. */
export const administrationRoot = '/admin/v1'

/** Something that can be done on a level, and who may. */
export interface LevelOperation {
  readonly method: AdministrationRoute['method']
  /** What follows the level. */
  readonly path: string
  readonly area: AdministeredArea
  readonly action: AdministrationAction
  readonly description: RouteDescription
  answer(request: LevelRequest, context: AdministrationContext, name: string): Promise<Answer>
}

/** A request of somebody who may do what he wants to. Handlers of the REST API take it too. */
export interface LevelRequest extends ServiceRequest {
  readonly level: Level
}

/** The routes of an operation: on the subaccount's level and on those of instances. */
export function onEveryLevel(operation: LevelOperation): readonly AdministrationRoute[] {
  return [onSubaccount(operation), permitted(operation, `${administrationRoot}/instances/:instance${operation.path}`)]
}

/** The route of an operation on the subaccount's level. */
export function onSubaccount(operation: LevelOperation): AdministrationRoute {
  return permitted(operation, `${administrationRoot}/subaccount${operation.path}`)
}

function permitted(operation: LevelOperation, path: string): AdministrationRoute {
  const { method, area, action, description } = operation
  return {
    method,
    path,
    description,
    async answer({ administrator, ...request }, context, parameters) {
      const target = await administeredLevel(administrator, { instanceId: parameters.instance, area, action }, context)
      if ('answer' in target) return target.answer
      const caller = callerOn(administrator, target)
      return operation.answer({ ...request, caller, level: target.level }, context, parameters.name ?? '')
    },
  }
}

/** The administrator as one who calls the REST API; with the level beside it, the instance says only whose it is. */
function callerOn({ subaccountId, user }: Administrator, { instance }: AdministeredLevel): ServiceRequest['caller'] {
  const owner = instance ?? { instanceId: '', subaccountId }
  return { subaccountId, instance: owner, isProvider: owner.subaccountId === subaccountId, user, tokenKind: 'XSUAA' }
}
