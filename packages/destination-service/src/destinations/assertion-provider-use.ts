import type { Level } from '../entities/entity-repository.ts'
import type { ServiceContext } from '../http/service-request.ts'
import { listChunkSize } from '../limits.ts'

/** A destination whose client assertions another one makes. */
export interface ProviderUse {
  readonly provider: string
  readonly user: string
}

/**
 * Which destinations that stay would lose the provider of their client assertions. Properties are sealed, so every destination of the level is opened. One
 * that the asking side may not see counts, but is not named.
 */
export async function findUseAsAssertionProvider(
  { repository }: Pick<ServiceContext, 'repository'>,
  level: Level,
  names: readonly string[],
): Promise<readonly ProviderUse[]> {
  const leaving = new Set((await repository.read('destination', level, names)).map((stored) => stored.name))
  if (leaving.size === 0) return []
  const bothZones = { ...level, sharedOnly: false }
  const entries = await repository.index('destination', bothZones)
  const staying = entries.map((entry) => entry.name).filter((name) => !leaving.has(name))
  const uses: ProviderUse[] = []
  for (let from = 0; from < staying.length; from += listChunkSize) {
    for (const { name, properties, sharedWithSubscriber } of await repository.read(
      'destination',
      bothZones,
      staying.slice(from, from + listChunkSize),
    )) {
      const provider = properties['clientAssertion.destinationName']
      if (provider === undefined || !leaving.has(provider)) continue
      uses.push({ provider, user: level.sharedOnly === true && !sharedWithSubscriber ? '(not shared)' : name })
    }
  }
  return uses
}
