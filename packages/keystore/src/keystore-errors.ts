import { ConnectivityError } from '@sallyport/core'

/**
 * A file that cannot be read. No cause is kept: errors of parsers quote what they were parsing, and that may be a private key.
 * `what` names the file, `problem` says what is wrong with it.
 */
export function unreadable(what: string, problem: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `${what} ${problem}`)
}

/** The password does not open the file, or there is none and it needs one. */
export function passwordRefused(what: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `${what} cannot be opened with the given password`, {
    details: { passwordRefused: true },
  })
}

/** Whether reading failed for the password alone, so that another one may open the file. */
export function isPasswordRefused(error: unknown): boolean {
  return ConnectivityError.is(error) && error.details['passwordRefused'] === true
}
