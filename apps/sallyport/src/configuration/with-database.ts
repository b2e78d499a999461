import { resolve } from 'node:path'
import { ConnectivityError } from '@sallyport/core'
import type { Configuration } from './configuration.ts'
import { postgresqlSchema } from './schema.ts'

/** The configuration with a PostgreSQL database from the command line; what the file says of TLS and limits stays. */
export function withDatabase(
  configuration: Configuration,
  { url, passwordFile }: { readonly url: string | undefined; readonly passwordFile: string | undefined },
): Configuration {
  const known = configuration.storage.postgresql
  if (url === undefined && passwordFile === undefined) return configuration
  if (url === undefined && known === undefined)
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `a password of the database is given (--database-password-file), but no database`,
      {
        details: { next: 'name it with --database, or as storage.postgresql in the configuration' },
      },
    )
  const postgresql = postgresqlSchema.parse({
    ...known,
    ...(url === undefined ? {} : { url }),
    ...(passwordFile === undefined ? {} : { password: { file: resolve(passwordFile) } }),
  })
  return { ...configuration, storage: { ...configuration.storage, postgresql } }
}
