import type { Address, Destination, DestinationOf, ProtocolClient } from '@sallyport/core'
import type { AdapterFeature, AdapterParts } from '../adapter-cases/adapter-case.ts'
import type { FarSide } from '../far-side.ts'

/**
 * What the adapter suite needs of one protocol besides the adapter: a healthy backend, hostile ones, and what a client does
 * with them. `Client` is as much of a client as that takes.
 */
export interface ScriptedBackend<T extends Destination['type'], Client extends ProtocolClient> extends Pick<
  AdapterParts<T, Client, FarSide>,
  'serve' | 'work' | 'reopen' | 'greeting' | 'beginAnswer' | 'hostile' | 'longAnswer' | 'longRequest'
> {
  /** A destination of this address; the location ID is `orlando` unless given. */
  readonly destination: (address: Address, locationId?: string) => DestinationOf<T>
  /** What the protocol can do over a plain dial. */
  readonly features: Readonly<Record<AdapterFeature, boolean>>
}
