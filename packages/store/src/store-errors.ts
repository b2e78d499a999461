import { ConnectivityError } from '@sallyport/core'

/** Turns what SQLite, the file system and the migrator throw into `STORE_FAILED`; `attempt` says what was being done. */
export function storeFailed(attempt: string, cause: unknown): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  return new ConnectivityError('STORE_FAILED', `${attempt}: ${reasonOf(cause)}`, { cause })
}

/** Says in front of an error of ours what was being done; turns others into `STORE_FAILED`. */
export function addAttempt(attempt: string, cause: unknown): ConnectivityError {
  return ConnectivityError.is(cause)
    ? new ConnectivityError(cause.code, `${attempt}: ${cause.message}`, { cause, details: cause.details })
    : storeFailed(attempt, cause)
}

/**
 * Turns what the PostgreSQL driver throws into one of ours. The driver's errors have a code of the server (SQLSTATE, Appendix A of its manual), of Node, or
 * none at all. Messages name the database, which is for those who run it: `details.store` tells them from messages for callers. What the server says beside its message may quote values, so that stays in the cause.
 */
export function postgresFailed(attempt: string, cause: unknown): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  const { code = '' } = cause as { readonly code?: string }
  const reason = reasonOf(cause)
  const failed = (kind: ConstructorParameters<typeof ConnectivityError>[0], advice: string): ConnectivityError =>
    new ConnectivityError(kind, `${attempt}: ${reason}; ${advice}`, { cause, details: { store: true, reason: code } })
  // 28: the log-on is refused. The driver's own refusals of a log-on have no code but a common beginning.
  if (code.startsWith('28') || reason.startsWith('SASL: ')) return failed('CONFIGURATION_INVALID', 'check user and password')
  if (code === '3D000') return failed('CONFIGURATION_INVALID', 'create the database, or name another')
  // The NUL character, the only one that PostgreSQL does not keep in a text. What was asked cannot be there, and cannot be kept.
  if (code === '22021') return new ConnectivityError('MESSAGE_INVALID', 'a text holds the character NUL, which cannot be kept', { cause })
  if (code === '42501') return failed('CONFIGURATION_INVALID', 'let the user own the database')
  // The driver's own words; there is no code.
  if (/does not support SSL/i.test(reason))
    return failed(
      'PEER_UNTRUSTED',
      'let the server offer TLS; on a network that nobody reads, "tls: off" (storage.postgresql) does without',
    )
  if (isTlsFailure(code, reason))
    return failed('PEER_UNTRUSTED', 'check the certificate of the server and the authorities that are trusted')
  if (isUnreachable(code, reason))
    return failed('SERVICE_UNAVAILABLE', 'check that the server runs, is reachable and admits more connections')
  if (code === '57014' || reason === 'Query read timeout') return failed('STORE_FAILED', 'it took longer than a statement may')
  if (code === '42P01' || code === '42703')
    return failed('STORE_FAILED', 'the schema is not the one of this version: run "sallyport db status"')
  return storeFailed(attempt, cause)
}

/** No connection, or an end of one that says nothing about the statement: the server stops (57P), has no room (53300), the line broke (08 and Node). */
function isUnreachable(code: string, reason: string): boolean {
  return (
    /^(57P0|53300|08)/.test(code) ||
    /^(ECONN|EHOST|ENET|ENOTFOUND|EAI_|ETIMEDOUT|EPIPE|ENOENT|EACCES)/.test(code) ||
    /connection terminated|timeout exceeded when trying to connect|connection timeout|client has encountered a connection error/i.test(
      reason,
    )
  )
}

function isTlsFailure(code: string, reason: string): boolean {
  return (
    /CERT|^ERR_(TLS|SSL)|^UNABLE_TO|SIGNED|^EPROTO/.test(code) || /server does not support SSL|establishing an SSL connection/.test(reason)
  )
}

function reasonOf(cause: unknown): string {
  // Node tries every address of a name and reports them together, without a text.
  if (cause instanceof AggregateError)
    return cause.errors.map((error) => (error instanceof Error ? error.message : String(error))).join(', ')
  return cause instanceof Error ? cause.message : String(cause)
}
