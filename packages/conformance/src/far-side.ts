import type { Duplex } from 'node:stream'
import type { Address, Dial } from '@sallyport/core'

/** One connection as the far side has it. */
export interface FarEnd {
  readonly stream: Duplex
  /** Drops the connection the hard way: the near end must not mistake it for the end of the data. */
  reset(): void
}

/** What a suite needs on the far side: peers it writes itself, and a dial that reaches them. Every case gets a fresh one. */
export interface FarSide extends AsyncDisposable {
  /** The dial under test, or for adapters any dial that reaches the peers. */
  readonly dial: Dial
  /** Answers connections at an address of its own with `handler`. */
  serve(handler: (far: FarEnd) => void): Promise<Address>
  /** An address where attempts are refused at once. */
  unused(): Promise<Address>
  /** Settles when no connection is open, those of a proxy in between included. */
  idle(): Promise<void>
}
