import { type Connect, createConnect } from '@sallyport/destination-client/connect'
import { createPop3Adapter, type Pop3AdapterOptions } from './pop3-adapter.ts'
import type { Pop3Client } from './pop3-client.ts'

/** Connects to a destination of type MAIL by its name; bindings, tokens and the way come from the environment. */
export const connect: Connect<Omit<Pop3AdapterOptions, 'clock'>, Pop3Client> = createConnect('MAIL', ({ tls }, options, clock) =>
  createPop3Adapter({ tls, ...options, clock }),
)
