import { createSecureContext } from 'node:tls'
import { ConnectivityError, silentLogger } from '@sallyport/core'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import { DatabaseError, Pool, type PoolClient, types } from 'pg'
import { clientPatienceMs, connectionIdleMs, connectionLifeSeconds, keepAliveDelayMs } from './limits.ts'
import type { PostgresOptions, PostgresTls } from './open-postgres-database.ts'
import { describeAddress, parsePostgresUrl, type PostgresAddress } from './postgres-url.ts'
import { postgresFailed } from './store-errors.ts'

/** What the server shows as the name of who is connected. */
export const applicationName = 'sallyport'

type PoolOptions = PostgresOptions & Required<Pick<PostgresOptions, 'maxConnections' | 'connectTimeoutMs' | 'statementTimeoutMs'>>

/**
 * Connections to one PostgreSQL database, as kysely wants them. A connection on which something other than a statement failed is not used again.
 * Everything that could come from the environment of the process is set here, so that nothing does.
 */
export function createPostgresPool(options: PoolOptions): PostgresPool {
  const { maxConnections, connectTimeoutMs, statementTimeoutMs, log = silentLogger } = options
  const address = parsePostgresUrl(options.url)
  const where = describeAddress(address)
  const pool = new Pool({
    ...address,
    // Asked for with every connection. An empty one is refused by servers that want one; nothing is looked up elsewhere.
    password: () => options.password?.() ?? '',
    ssl: tlsOptions(address, options.tls ?? { mode: 'verify' }),
    application_name: applicationName,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: connectionIdleMs,
    maxLifetimeSeconds: connectionLifeSeconds,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelayMs,
    // The server ends what takes long; a server that has gone silent is given up a little later.
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + clientPatienceMs,
    types: { getTypeParser: numbersForBigIntegers },
  })
  // Otherwise a connection that ends while idle would end the process. The next statement gets another one or says what is wrong.
  pool.on('error', (error) => log.warn({ code: 'STORE_FAILED', reason: error.message }, 'an idle database connection ended'))
  return {
    async connect() {
      try {
        return guarded(await pool.connect(), where)
      } catch (error) {
        throw postgresFailed(`connecting to the database ${where}`, error)
      }
    },
    end: () => pool.end(),
    options: {},
  }
}

/** Translates errors, and remembers whether the connection can be used again. */
function guarded(client: PoolClient, where: string): PostgresPoolClient {
  let broken = false
  // Between two statements nobody else listens; the statement that comes next fails by itself.
  const onError = (): void => {
    broken = true
  }
  client.on('error', onError)
  return {
    async query(text: string, parameters: readonly unknown[]) {
      try {
        return await client.query(text, parameters as unknown[])
      } catch (error) {
        // Errors that the server reports have a severity; after all others nobody knows what is still under way.
        broken ||= !(error instanceof DatabaseError) || error.severity !== 'ERROR'
        throw postgresFailed(`a statement on the database ${where}`, error)
      }
    },
    release() {
      client.removeListener('error', onError)
      client.release(broken)
    },
  } as unknown as PostgresPoolClient
}

function tlsOptions(address: PostgresAddress, tls: PostgresTls): false | Record<string, unknown> {
  if (address.host.startsWith('/') || tls.mode === 'off') return false
  const material = {
    ...(tls.authorities === undefined ? {} : { ca: [...tls.authorities] }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  }
  try {
    createSecureContext(material)
  } catch (cause) {
    throw new ConnectivityError('CONFIGURATION_INVALID', `the TLS material for the database ${describeAddress(address)} cannot be read`, {
      cause,
    })
  }
  // The name to check against; the driver sets it for names, but not for addresses.
  return { ...material, host: address.host, rejectUnauthorized: true, minVersion: 'TLSv1.2' }
}

/** 64-bit integers as numbers, as SQLite hands them out; ours are times and counts, far below 2^53. Everything else as the driver does it. */
const numbersForBigIntegers: typeof types.getTypeParser = (type, format) =>
  type === types.builtins.INT8 && format !== 'binary' ? Number : types.getTypeParser(type, format)
