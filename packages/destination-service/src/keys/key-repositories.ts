import type { Sealer, StoredTable, SubaccountSealers } from '@sallyport/core'
import type { Kysely } from 'kysely'
import { type AuthorityRepository, authorityTable, createSqlAuthorityRepository } from '../certificates/authority-repository.ts'
import { createSqlExpiryNotices, noticeTable, type ExpiryNotices } from '../certificates/expiry-notices.ts'
import type { DestinationTables } from '../entities/entity-migrations.ts'
import { createSqlTrustRepository, type TrustRepository, trustTable } from '../trust/trust-repository.ts'

/** Where the service keeps keys of its own, and what it has told about certificates of others. */
export interface KeyRepositories {
  readonly authorities: AuthorityRepository
  readonly trust: TrustRepository
  readonly notices: ExpiryNotices
}

/** Keeps them in the database of the entities; private keys are sealed. */
export function createSqlKeyRepositories(options: {
  readonly db: Kysely<DestinationTables>
  readonly master: Sealer
  readonly sealers: SubaccountSealers
}): KeyRepositories {
  return {
    authorities: createSqlAuthorityRepository(options),
    trust: createSqlTrustRepository(options),
    notices: createSqlExpiryNotices(options.db),
  }
}

/** Their tables, for jobs over whole databases. */
export const keyTables: readonly StoredTable[] = [authorityTable, noticeTable, trustTable]
