import type { Duplex } from 'node:stream'
import type { Address, Dial } from '@sallyport/core'

/** One end of a connection as the far side has it. */
export interface FarEnd {
  readonly stream: Duplex
  /** Drops the connection the hard way: the other end sees a reset, not an end. */
  reset(): void
}

/** A far side that tests fill with peers. */
export interface TestNetwork extends AsyncDisposable {
  /** Reaches the peers, without anything between. */
  readonly dial: Dial
  /** Answers connections at an address of its own with `handler` until the network is disposed. */
  serve(handler: (far: FarEnd) => void): Promise<Address>
  /** An address where nobody answers: attempts are refused at once. */
  unused(): Promise<Address>
  /** Settles when no connection is open. */
  idle(): Promise<void>
  /** Connections that were accepted so far. */
  readonly accepted: number
}
