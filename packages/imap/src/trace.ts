import { foreignText, type Logger, type MailDestination } from '@sallyport/core'
import type { ImapFlowOptions } from 'imapflow'

/** What the library gives its logger: lines of the dialogue have a side, `c` or `s`. */
interface Entry {
  readonly src?: unknown
  readonly msg?: unknown
}

/** `mail.debug`: every line of the dialogue goes to the log, but nothing secret. Else the library is silent. */
export function createTrace({ name, debug }: MailDestination, log: Logger, secrets: readonly string[]): ImapFlowOptions['logger'] {
  if (!debug) return false
  const note = ({ src, msg }: Entry): void => {
    if ((src !== 'c' && src !== 's') || typeof msg !== 'string') return
    log.debug({ destination: name, direction: src === 'c' ? 'sent' : 'received', line: foreignText(msg, secrets) }, 'IMAP line')
  }
  return { trace: note, debug: note, info: note, warn: note, error: note }
}
