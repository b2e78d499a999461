import type { DestinationRecord } from '@sallyport/admin-api'
import type { References } from '../authentication/authentication-request.ts'
import type { EntityRepository, FoundEntity, Level } from '../entities/entity-repository.ts'
import { etagOf } from '../entities/etag.ts'

/** Properties that name a certificate. */
const certificateProperties = ['KeyStoreLocation', 'TrustStoreLocation', 'tokenService.KeyStoreLocation']

/** The certificates that a destination names and that exist, each once: on the destination's own level, else on its subaccount's. */
export async function readCertificates(
  repository: EntityRepository,
  level: Level,
  configuration: DestinationRecord,
): Promise<readonly FoundEntity[]> {
  const names = new Set(certificateProperties.flatMap((property) => configuration[property] || []))
  if (names.size === 0) return []
  const found = await Promise.all([...names].map((name) => findCertificate(repository, level, name)))
  return found.filter((certificate) => certificate !== undefined)
}

/** How flows reach other entities; certificates that have been read already are not read again. */
export function createReferences(
  repository: EntityRepository,
  { level, certificates }: { readonly level: Level; readonly certificates: readonly FoundEntity[] },
  signingKey: References['signingKey'],
): References {
  return {
    async certificate(name) {
      const known = certificates.find(({ entity }) => entity.name === name) ?? (await findCertificate(repository, level, name))
      return known?.entity
    },
    async destination(name) {
      const found = await repository.find('destination', level, name)
      return found === undefined
        ? undefined
        : { configuration: found.properties as DestinationRecord, level, etag: etagOf(found.properties) }
    },
    signingKey,
  }
}

function findCertificate(repository: EntityRepository, level: Level, name: string): Promise<FoundEntity | undefined> {
  const levels = level.instanceId === null ? [level] : [level, { subaccountId: level.subaccountId, instanceId: null }]
  return repository.findFirst('certificate', levels, name)
}
