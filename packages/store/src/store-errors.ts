import { ConnectivityError } from '@sallyport/core'

/** Turns what SQLite, the file system and the migrator throw into `STORE_FAILED`; `attempt` says what was being done. */
export function storeFailed(attempt: string, cause: unknown): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ConnectivityError('STORE_FAILED', `${attempt}: ${reason}`, { cause })
}
