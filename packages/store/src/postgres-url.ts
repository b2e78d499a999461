import { ConnectivityError } from '@sallyport/core'

/** What a PostgreSQL URL says. */
export interface PostgresAddress {
  /** Host name or address, or the absolute path of a socket's folder. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
}

const usualPort = 5432

/**
 * Reads `postgresql://user@host:port/database`. Strict: a parameter that would be ignored, and a password that would end up in files and process lists,
 * are refused.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID`; the message does not repeat the URL, which may hold a password.
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  // A URL without a host but with a user is none for the parser; libpq allows it for sockets.
  const url = URL.parse(text.replace(/^(postgres(?:ql)?:\/\/[^/@]*@)(?=[:/])/, '$1socket'))
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) throw invalid('is not of the form postgresql://user@host:port/database')
  if (url.password !== '') throw invalid('holds a password; keep it in a file or a variable and refer to that')
  const { host: socket, ...others } = Object.fromEntries(url.searchParams)
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw invalid(`has the parameter "${unknown}"; only "host", for a socket's folder, is known`)
  if (socket !== undefined && !socket.startsWith('/')) throw invalid('has a parameter "host" that is no absolute path of a folder')
  const host = socket ?? url.hostname.replace(/^\[(.*)\]$/, '$1')
  const [user, database] = [decode(url.username), decode(url.pathname.slice(1))]
  if (host === '' || user === '' || database === '' || database.includes('/')) throw invalid('has to name a user, a host and a database')
  return { host, port: url.port === '' ? usualPort : Number(url.port), user, database }
}

/** For messages: where, without who. */
export function describeAddress({ host, port, database }: PostgresAddress): string {
  return `${database} on ${host.startsWith('/') ? `the socket in ${host}` : `${host}:${port}`}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('is not percent-encoded properly')
  }
}

function invalid(why: string): ConnectivityError {
  return new ConnectivityError('CONFIGURATION_INVALID', `the URL of the PostgreSQL database ${why}`)
}
