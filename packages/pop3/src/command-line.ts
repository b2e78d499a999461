import { ConnectivityError } from '@sallyport/core'
import { maxCommandBytes } from './limits.ts'

/**
 * Writes a command without its line end.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for an argument that would end the line or upset the server, and for a line that is
 * longer than RFC 2449 §4 allows. The message names the command and never the argument.
 */
export function formatCommand(keyword: string, ...args: readonly (string | number)[]): string {
  if (args.some((argument) => /\p{Cc}/u.test(String(argument)))) {
    throw new ConnectivityError('MESSAGE_INVALID', `POP3 command ${keyword}: an argument holds a control character`)
  }
  const line = [keyword, ...args].join(' ')
  if (!fitsCommandLine(line)) {
    throw new ConnectivityError('MESSAGE_INVALID', `POP3 command ${keyword}: its line would be longer than ${maxCommandBytes} bytes`)
  }
  return line
}

/** Whether a line with its end is short enough for every server. */
export function fitsCommandLine(line: string): boolean {
  return Buffer.byteLength(line) + 2 <= maxCommandBytes
}

/** @throws ConnectivityError `MESSAGE_INVALID` for what is no whole number from `min` on; callers without types pass anything. */
export function expectWhole(value: number, min: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= min) return value
  throw new ConnectivityError('MESSAGE_INVALID', `POP3: ${what} is not a whole number from ${min} on`)
}
