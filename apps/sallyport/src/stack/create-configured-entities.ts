import { ConnectivityError } from '@sallyport/core'
import { type EntityRepository, type EntityWrite, maxPerSubaccount } from '@sallyport/destination-service'
import { type Configuration, resolveText } from '../configuration/configuration.ts'
import { type ConfiguredCollection, configuredCollections, type ConfiguredEntity } from '../configuration/configured-entities.ts'

/**
 * Creates destinations and fragments of the configuration that the store has none of that name of, and tells how many. What somebody changed through the API
 * stays; the configuration only fills gaps.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when a reference leads nowhere, or to something that cannot be stored.
 */
export async function createConfiguredEntities(
  repository: EntityRepository,
  configuration: Configuration,
  nowMs: number,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  let created = 0
  for (const subaccount of configuration.subaccounts) {
    for (const collection of configuredCollections) {
      const writes = subaccount[collection.key].map((entry) => writeOf(collection, entry, configuration, environment))
      if (writes.length === 0) continue
      const level = { subaccountId: subaccount.id, instanceId: null }
      const outcomes = await repository.create(collection.kind, level, writes, { nowMs, maxPerSubaccount })
      created += outcomes.filter((outcome) => outcome === 'created').length
    }
  }
  return created
}

/** An entity with the texts that it refers to, which nobody has checked before. */
function writeOf(
  { check, kind, nameProperty }: ConfiguredCollection,
  entry: ConfiguredEntity,
  configuration: Configuration,
  environment: NodeJS.ProcessEnv,
): EntityWrite {
  const properties = Object.entries(entry).map(([key, value]) => [
    key,
    typeof value === 'object' ? resolveText(value, configuration, environment) : value,
  ])
  const verdict = check(Object.fromEntries(properties), { strictNames: true })
  if (!verdict.valid)
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `${configuration.path}: the ${kind} ${JSON.stringify(entry[nameProperty])}: ${verdict.problem}`,
    )
  return { name: verdict.input.properties[nameProperty] ?? '', ...verdict.input }
}
