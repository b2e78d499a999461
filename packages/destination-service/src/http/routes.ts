import type { Answer } from './answer.ts'
import { levelOf } from '../access/caller.ts'
import { deleteDestination, deleteDestinations } from '../entities/delete-entities.ts'
import type { Level } from '../entities/entity-repository.ts'
import { answerByCondition, etagOf } from '../entities/etag.ts'
import { consumeDestination, findDestination } from '../find/find-destination.ts'
import { listDestinations } from '../entities/list-entities.ts'
import type { ServiceContext, ServiceRequest } from './service-request.ts'
import { createDestinations, replaceDestinations } from '../entities/write-entities.ts'
import { notFound } from './answer.ts'

/** A method and a path, and what answers there. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** `:name` stands for one segment, which is decoded. */
  readonly path: string
  answer(request: ServiceRequest, context: ServiceContext, name: string): Promise<Answer>
}

const root = '/destination-configuration'

/** Everything that needs a token. */
export const routes: readonly Route[] = [
  { method: 'GET', path: `${root}/v1/destinations/:name`, answer: findDestination },
  { method: 'GET', path: `${root}/v2/destinations/:name`, answer: consumeDestination },
  ...collectionRoutes('subaccount'),
  ...collectionRoutes('instance'),
]

function collectionRoutes(levelName: 'subaccount' | 'instance'): Route[] {
  const collection = `${levelName}Destinations`
  const path = `${root}/v1/${collection}`
  const level = (request: ServiceRequest): Level => levelOf(request.caller, levelName)
  return [
    { method: 'GET', path, answer: (request, context) => listDestinations(request, context, { level: level(request), collection }) },
    { method: 'POST', path, answer: (request, context) => createDestinations(request, context, level(request)) },
    { method: 'PUT', path, answer: (request, context) => replaceDestinations(request, context, level(request)) },
    { method: 'DELETE', path, answer: (request, context) => deleteDestinations(request, context, level(request)) },
    { method: 'GET', path: `${path}/:name`, answer: (request, context, name) => getDestination(request, context, level(request), name) },
    {
      method: 'DELETE',
      path: `${path}/:name`,
      answer: (request, context, name) => deleteDestination(request, context, level(request), name),
    },
  ]
}

/** `GET …/{subaccount,instance}Destinations/{name}`: the flat object as it was stored. */
async function getDestination(request: ServiceRequest, { repository }: ServiceContext, level: Level, name: string): Promise<Answer> {
  const stored = await repository.find('destination', level, name)
  if (stored === undefined) return notFound
  const etag = etagOf(stored.properties)
  return answerByCondition(request.headers, etag) ?? { status: 200, headers: { etag }, body: stored.properties }
}
