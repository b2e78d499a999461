import { type Connect, createConnect } from '@sallyport/destination-client/connect'
import { createTcpAdapter } from './tcp-adapter.ts'
import type { TcpClient } from './tcp-client.ts'

/** Connects to a destination of type TCP by its name; bindings, tokens and the way come from the environment. */
export const connect: Connect<object, TcpClient> = createConnect('TCP', (_resolved, _options, clock) => createTcpAdapter({ clock }))
