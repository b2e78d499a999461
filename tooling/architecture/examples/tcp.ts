import type { Duplex } from 'node:stream'
import { type Credentials, type Dial, type DestinationOf, type Logger, parseDestination, silentLogger } from '@sallyport/core'
import { createMemoryPair } from '@sallyport/test-fixtures'

export const typesOnly = 'it listens on the fixed port of a local program'
export const destination = parseDestination({
  Name: 'ECHO',
  Type: 'TCP',
  Address: 'echo.demo:7',
  ProxyType: 'OnPremise',
}) as DestinationOf<'TCP'>
export const dial: Dial = () => Promise.resolve(createMemoryPair()[0])
export const credentials: Credentials = { kind: 'none' }
export const signal: AbortSignal = AbortSignal.timeout(10_000)
export const log: Logger = silentLogger
/** Stands for the driver of a database. */
export const pg = {
  Pool: class {
    readonly stream: () => Duplex
    constructor(options: { readonly stream: () => Duplex }) {
      this.stream = options.stream
    }
  },
}
