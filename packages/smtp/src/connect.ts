import { type Connect, createConnect } from '@sallyport/destination-client/connect'
import { createSmtpAdapter, type SmtpAdapterOptions } from './smtp-adapter.ts'
import type { SmtpClient } from './smtp-client.ts'

/** Connects to a destination of type MAIL by its name, to send; bindings, tokens and the way come from the environment. */
export const connect: Connect<Omit<SmtpAdapterOptions, 'clock'>, SmtpClient> = createConnect('MAIL', (_resolved, options, clock) =>
  createSmtpAdapter({ ...options, clock }),
)
