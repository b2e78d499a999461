import { foreignText, type Logger, type MailDestination, type MailLogon } from '@sallyport/core'
import { secretOf } from './log-on.ts'

/** `mail.debug`: every line of the dialogue goes to the log, but no message and nothing secret. */
export function createTrace(
  { destination, log }: { readonly destination: MailDestination; readonly log: Logger },
  logon: MailLogon,
): (direction: 'sent' | 'received', line: string) => void {
  if (!destination.debug) return () => {}
  const secrets = logon.kind === 'none' ? [] : [secretOf(logon)]
  return (direction, line) => log.debug({ destination: destination.name, direction, line: foreignText(line, secrets) }, 'POP3 line')
}
