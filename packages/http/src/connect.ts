import { type Connect, createConnect } from '@sallyport/destination-client/connect'
import { createHttpAdapter, type HttpAdapterOptions } from './http-adapter.ts'
import type { HttpClient } from './http-client.ts'

/** Connects to a destination of type HTTP by its name; bindings, tokens and the way come from the environment. */
export const connect: Connect<Omit<HttpAdapterOptions, 'clock' | 'proxy'>, HttpClient> = createConnect(
  'HTTP',
  ({ proxy, tls }, options, clock) => createHttpAdapter({ tls, ...options, clock, ...(proxy === undefined ? {} : { proxy }) }),
)
