import type { Socket } from 'node:net'
import type { TunnelClientOptions, TunnelServerOptions } from '@sallyport/tunnel'
import type { StreamOpening } from '@sallyport/tunnel'
import type { TlsClientMaterial } from '@sallyport/tunnel/tls'
import type { TunnelConnection } from '@sallyport/core'

export const typesOnly = 'it listens on a fixed port and dials a server that does not exist'
export declare const clock: TunnelServerOptions['clock']
export declare const transport: TunnelServerOptions['transport']
export declare const endpoint: URL
export declare const authorize: TunnelServerOptions['authorize']
export declare const trust: TunnelServerOptions['trust']
export declare const audit: TunnelServerOptions['audit']
export declare const certificate: string
export declare const key: string
export declare const connectorAuthorities: string
export declare const currentIdentity: TlsClientMaterial
export declare const hello: TunnelClientOptions['hello']
export declare const connectorId: string
export declare const agentVersion: string
export declare const description: string
export declare const random: () => number
export declare const clientSocket: Socket
export declare const socket: Socket
export declare const opening: StreamOpening
export declare const tunnel: TunnelConnection
export declare const dialBackend: (opening: StreamOpening) => Socket
export declare const connect: (backend: string) => Socket
export declare const backend: string
