import type { DestinationRecord } from '@sallyport/admin-api'
import { destinationCollection } from '../destinations/destination-collection.ts'
import { createReferences } from '../find/referenced-entities.ts'
import type { Answer } from '../http/answer.ts'
import type { AdministrationContext } from './administration-context.ts'
import type { LevelRequest } from './administration-route.ts'

/** Whether the target of a stored destination can be reached. A target that cannot is a verdict, with status 200. */
export async function checkConnection(
  { level, log }: LevelRequest,
  { repository, administration, clock }: AdministrationContext,
  name: string,
): Promise<Answer> {
  const stored = await repository.find('destination', level, name)
  if (stored === undefined) return destinationCollection.absent(name)
  const references = createReferences(repository, { level, certificates: [] }, () => Promise.resolve(undefined))
  const startedMs = clock.now()
  const verdict = await administration.connections.check({ configuration: stored.properties as DestinationRecord, level, references })
  log.info({ destination: name, successful: verdict.successful, durationMs: clock.now() - startedMs }, 'connection checked')
  return { status: 200, body: verdict }
}
