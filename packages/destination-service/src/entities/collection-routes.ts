import { levelOf } from '../access/caller.ts'
import { apiRoot, type Route } from '../http/route.ts'
import type { ServiceRequest } from '../http/service-request.ts'
import { getLabels, patchLabels, replaceLabels } from '../labels/entity-labels.ts'
import type { Collection } from './collection.ts'
import { describeCollection } from './collection-descriptions.ts'
import { deleteEntities, deleteEntity } from './delete-entities.ts'
import type { Level } from './entity-repository.ts'
import { getEntity } from './get-entity.ts'
import { listEntities } from './list-entities.ts'
import { createEntities, replaceEntities } from './write-entities.ts'

/** The routes of a collection on both levels. */
export function collectionRoutes(collection: Collection): readonly Route[] {
  return [...levelRoutes(collection, 'subaccount'), ...levelRoutes(collection, 'instance')]
}

function levelRoutes(collection: Collection, levelName: 'subaccount' | 'instance'): readonly Route[] {
  const name = `${levelName}${collection.path}`
  const all = `${apiRoot}/v1/${name}`
  const one = `${all}/:name`
  const labels = `${one}/labels`
  const says = describeCollection(collection, levelName)
  const target = (request: ServiceRequest): { readonly collection: Collection; readonly level: Level; readonly path: string } => ({
    collection,
    level: levelOf(request.caller, levelName),
    path: name,
  })
  return [
    { method: 'GET', path: all, description: says.list, answer: (request, context) => listEntities(request, context, target(request)) },
    {
      method: 'POST',
      path: all,
      description: says.create,
      answer: (request, context) => createEntities(request, context, target(request)),
    },
    {
      method: 'PUT',
      path: all,
      description: says.replace,
      answer: (request, context) => replaceEntities(request, context, target(request)),
    },
    {
      method: 'DELETE',
      path: all,
      description: says.deleteSeveral,
      answer: (request, context) => deleteEntities(request, context, target(request)),
    },
    { method: 'GET', path: one, description: says.get, answer: (request, context, of) => getEntity(request, context, target(request), of) },
    {
      method: 'DELETE',
      path: one,
      description: says.delete,
      answer: (request, context, of) => deleteEntity(request, context, target(request), of),
    },
    {
      method: 'GET',
      path: labels,
      description: says.getLabels,
      answer: (request, context, of) => getLabels(request, context, target(request), of),
    },
    {
      method: 'PUT',
      path: labels,
      description: says.replaceLabels,
      answer: (request, context, of) => replaceLabels(request, context, target(request), of),
    },
    {
      method: 'PATCH',
      path: labels,
      description: says.patchLabels,
      answer: (request, context, of) => patchLabels(request, context, target(request), of),
    },
  ]
}
