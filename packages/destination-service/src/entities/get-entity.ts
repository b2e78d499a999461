import type { Answer } from '../http/answer.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import type { Collection } from './collection.ts'
import type { Level } from './entity-repository.ts'
import { answerByCondition, etagOf } from './etag.ts'

/** `GET` of one by its name: the flat object as it was stored. */
export async function getEntity(
  request: ServiceRequest,
  { repository }: ServiceContext,
  { collection, level }: { readonly collection: Collection; readonly level: Level },
  name: string,
): Promise<Answer> {
  const stored = await repository.find(collection.kind, level, name)
  if (stored === undefined) return collection.absent(name)
  const etag = etagOf(stored.properties)
  return answerByCondition(request.headers, etag) ?? { status: 200, headers: { etag }, body: stored.properties }
}
