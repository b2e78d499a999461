/**
 * From the name of a destination to a connected client. Applications call the `connect` of an adapter; this is what those are
 * made of, and what several clients share.
 *
 * @example
 * const connectToTcp = createConnect('TCP', (_resolved, _options, clock) => createTcpAdapter({ clock }))
 * await using connectivity = await openConnectivity()
 * await using legacy = await connectToTcp('LEGACY', { connectivity, userToken })
 *
 * @packageDocumentation
 */
export { type AdapterOf, type Connect, type ConnectOptions, createConnect, openConnectivity } from './connect.ts'
export {
  type Connectivity,
  type ConnectivityOptions,
  createConnectivity,
  type ProxyRoute,
  type ResolvedDestination,
  type ResolveOptions,
} from './connectivity.ts'
export type { DestinationTls } from './destination-tls.ts'
