import { foreignText, type Logger } from '@sallyport/core'

/** The logger that nodemailer takes. */
export interface DialogueLog {
  debug(entry: unknown, text?: unknown): void
}

const directions: Readonly<Record<string, string>> = { client: 'sent', server: 'received' }

/** Hands the lines of the dialogue, and nothing else that the library says, to a logger. Secrets are cut out; the message itself never gets here. */
export function createDialogueLog(log: Logger, destination: string, secrets: () => readonly string[]): DialogueLog {
  return {
    debug(entry, text) {
      const { tnx } = (typeof entry === 'object' && entry !== null ? entry : {}) as { readonly tnx?: unknown }
      const direction = typeof tnx === 'string' ? directions[tnx] : undefined
      if (direction === undefined || typeof text !== 'string') return
      log.debug({ destination, direction, line: foreignText(text, secrets()) }, 'a line of the dialogue with the mail server')
    },
  }
}
