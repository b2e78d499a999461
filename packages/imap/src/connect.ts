import { type Connect, createConnect } from '@sallyport/destination-client/connect'
import { createImapAdapter, type ImapAdapterOptions } from './imap-adapter.ts'
import type { ImapClient } from './imap-client.ts'

/** Connects to a destination of type MAIL by its name, to read; bindings, tokens and the way come from the environment. */
export const connect: Connect<Omit<ImapAdapterOptions, 'clock'>, ImapClient> = createConnect('MAIL', ({ tls }, options, clock) =>
  createImapAdapter({ tls, ...options, clock }),
)
