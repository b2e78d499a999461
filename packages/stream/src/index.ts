/**
 * What protocol libraries need around the stream of a dial: TLS on top of it, the members of a socket, a private local
 * socket that leads to it, and a pool of connections. For the authors of protocol adapters.
 *
 * @example
 * const socket = createSocketLike({ open: (signal) => dial(address, { signal, locationId: '' }), address, clock: systemClock })
 * const secured = await secureStream(socket, { host: address.host, tls: {}, signal, attempt: 'connect to the directory' })
 *
 * @packageDocumentation
 */
export { type Bridge, type BridgeOptions, openBridge, openLoopbackBridge } from './bridge.ts'
export { type ConnectionPool, type ConnectionPoolOptions, createConnectionPool, type PooledConnection } from './connection-pool.ts'
export { loadLibrary, type PeerLibrary } from './load-library.ts'
export { readFirst, type ReadFirstOptions } from './read-first.ts'
export { secureStream, type SecureStreamOptions } from './secure-stream.ts'
export { createSocketLike, type SocketLike, type SocketLikeOptions } from './socket-like.ts'
export { connectionError, handshakeError } from './stream-errors.ts'
export { tlsConnectionOptions, type TlsOptions, type TlsTerms } from './tls-terms.ts'
