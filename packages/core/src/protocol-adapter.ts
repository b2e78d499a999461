import type { Credentials, Destination, DestinationOf } from './destination.ts'
import type { Dial } from './dial.ts'
import type { Logger } from './logger.ts'
import type { Principal } from './principal.ts'

/** Turns a destination and a dial into a client that the developer knows. */
export interface ProtocolAdapter<T extends Destination['type'], Client extends ProtocolClient> {
  readonly protocol: string
  readonly destinationType: T
  /** @throws ConnectivityError; on failure nothing stays open. */
  connect(destination: DestinationOf<T>, context: ConnectContext): Promise<Client>
}

/** What an adapter is given to connect with: how to reach the target, and as whom. */
export interface ConnectContext {
  readonly dial: Dial
  readonly credentials: Credentials
  /** Fetches credentials anew where a target refuses the token at hand, or it has expired; for clients whose connections outlive a token. */
  readonly renewCredentials?: (signal: AbortSignal) => Promise<Credentials>
  /** The user on whose behalf calls are made, for destinations with principal propagation. */
  readonly principal?: Principal
  readonly signal: AbortSignal
  readonly log: Logger
}

/** The caller owns the client; disposing it closes every connection it opened, and works more than once. */
export interface ProtocolClient extends AsyncDisposable {
  /** Proves that the far side answers. @throws ConnectivityError otherwise. */
  ping(signal: AbortSignal): Promise<void>
}
