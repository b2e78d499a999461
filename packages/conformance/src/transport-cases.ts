import { type BackPressureCase, backPressureCases } from './transport-cases/back-pressure.ts'
import { type CarriedBytesCase, carriedBytesCases } from './transport-cases/carried-bytes.ts'
import { type ConnectingCase, connectingCases } from './transport-cases/connecting.ts'
import { type ConnectionEndCase, connectionEndCases } from './transport-cases/connection-ends.ts'
import { type FaultyNetworkCase, faultyNetworkCases } from './transport-cases/faulty-network.ts'
import { type PeerIdentityCase, peerIdentityCases } from './transport-cases/peer-identity.ts'
import { type StreamEndCase, streamEndCases } from './transport-cases/stream-ends.ts'
import type { TransportCase } from './transport-cases/transport-case.ts'

/** The title of a case. */
export type TransportCaseName =
  | CarriedBytesCase
  | BackPressureCase
  | StreamEndCase
  | ConnectionEndCase
  | ConnectingCase
  | FaultyNetworkCase
  | PeerIdentityCase

/** What every transport does, whatever carries it. */
export const transportCases: Readonly<Record<TransportCaseName, TransportCase>> = {
  ...carriedBytesCases,
  ...backPressureCases,
  ...streamEndCases,
  ...connectionEndCases,
  ...connectingCases,
  ...faultyNetworkCases,
  ...peerIdentityCases,
}
