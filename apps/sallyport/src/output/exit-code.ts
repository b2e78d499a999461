import { ConnectivityError, type ErrorCode } from '@sallyport/core'

/** What the exit status of every command means; scripts depend on it. 42 asks for a new start, as wrappers of the original know it. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, notReady: 3, refused: 4, restart: 42 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

const refusals: readonly ErrorCode[] = [
  'ACCESS_DENIED',
  'PRINCIPAL_NOT_TRUSTED',
  'PAIRING_REFUSED',
  'CONNECTION_REBOUND',
  'PROXY_AUTHORIZATION_REQUIRED',
]

/** The status a command ends with after this error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (isUsageError(error)) return exitCodes.usage
  if (!ConnectivityError.is(error)) return exitCodes.failed
  if (error.details['notReady'] === true) return exitCodes.notReady
  if (refusals.includes(error.code)) return exitCodes.refused
  return exitCodes.failed
}

/** A command was called in a way it does not understand. `next` says what to type instead. */
export function usageError(message: string): Error {
  return Object.assign(new Error(message), { name: 'UsageError' })
}

/** Whether a command was called in a way it does not understand. */
export function isUsageError(error: unknown): boolean {
  return error instanceof Error && (error.name === 'UsageError' || error.name === 'CommanderError')
}
