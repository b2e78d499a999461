import type { Duplex } from 'node:stream'
import type { Address } from './address.ts'
import type { Principal } from './principal.ts'

/**
 * Opens a byte stream to an address as the far side sees it. The stream half-closes: ending one side keeps the other
 * readable. The caller owns the stream and destroys it. One deadline, the signal's, covers name resolution, proxy
 * negotiation and the far connection; when it fires, whatever was opened half-way is closed.
 *
 * @throws ConnectivityError with the code of the situation: `BACKEND_UNREACHABLE`, `ACCESS_DENIED`,
 * `CONNECTOR_NOT_CONNECTED`, `PROXY_AUTHORIZATION_REQUIRED`, `PEER_UNREACHABLE`, `ABORTED`, …
 */
export type Dial = (address: Address, options: DialOptions) => Promise<Duplex>

/** What every attempt to open a stream needs to know. */
export interface DialOptions {
  readonly signal: AbortSignal
  /** `''` is the connector without a location ID; dials that know no connectors ignore it. */
  readonly locationId: string
  readonly principal?: Principal
}
