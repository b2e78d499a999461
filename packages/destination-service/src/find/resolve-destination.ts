import { createHash } from 'node:crypto'
import type { DestinationRecord } from '@sallyport/admin-api'
import type { EntityRepository, FoundEntity, Level, StoredEntity } from '../entities/entity-repository.ts'
import { etagOf } from '../entities/etag.ts'
import { fragmentNotFound } from '../fragments/fragment-collection.ts'
import { mergeFragments } from '../fragments/merge-fragments.ts'
import { type Answer, malformed, notFound } from '../http/answer.ts'
import { maxFragmentsPerFind } from '../limits.ts'
import { readCertificates } from './referenced-entities.ts'

/** What is to be looked up. */
export interface DestinationReference {
  readonly name: string
  /** In the order in which they are searched; the first that has the name wins. */
  readonly levels: readonly Level[]
  readonly fragments: FragmentReferences
}

/** The fragments to lay over it, from left to right. */
interface FragmentReferences {
  /** Which one a reference means, when the destination was found on that level. */
  readonly locate: (reference: string, level: Level) => { readonly name: string; readonly level: Level }
  readonly references: readonly string[]
  /** A single one that is missing is then no error; with several this means nothing. */
  readonly optional: boolean
}

/** A destination with everything that belongs to it. */
export interface ResolvedDestination {
  /** The destination as it is stored, without fragments. */
  readonly stored: StoredEntity
  /** With fragments, secrets included. */
  readonly configuration: DestinationRecord
  readonly level: Level
  /** Another one whenever the merged configuration or a certificate that it names changes. */
  readonly etag: string
  readonly fragments: readonly FoundEntity[]
  readonly certificates: readonly FoundEntity[]
}

/**
 * Finds a destination, lays its fragments over it and reads the certificates that it names; or says what is missing.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for too many fragments: each is a query.
 */
export async function resolveDestination(
  repository: EntityRepository,
  { name, levels, fragments: asked }: DestinationReference,
): Promise<ResolvedDestination | { readonly answer: Answer }> {
  if (asked.references.length > maxFragmentsPerFind) throw malformed(`One look-up can name ${maxFragmentsPerFind} fragments at most`)
  const found = await repository.findFirst('destination', levels, name)
  if (found === undefined) return { answer: notFound }
  const { level, entity: stored } = found
  const fragments: FoundEntity[] = []
  for (const reference of asked.references) {
    const target = asked.locate(reference, level)
    const fragment = await repository.findFirst('fragment', [target.level], target.name)
    if (fragment !== undefined) fragments.push(fragment)
    else if (asked.references.length > 1 || !asked.optional) return { answer: fragmentNotFound(target.name) }
  }
  const configuration = mergeFragments(
    stored.properties as DestinationRecord,
    fragments.map(({ entity }) => entity),
  )
  const certificates = await readCertificates(repository, level, configuration)
  return { stored, configuration, level, etag: combinedEtag(configuration, certificates), fragments, certificates }
}

function combinedEtag(configuration: DestinationRecord, certificates: readonly FoundEntity[]): string {
  const etag = etagOf(configuration)
  if (certificates.length === 0) return etag
  const parts = certificates.map(({ level, entity }) => [level.instanceId, entity.name, etagOf(entity.properties)])
  return createHash('sha256')
    .update(JSON.stringify([etag, parts]))
    .digest('hex')
}
