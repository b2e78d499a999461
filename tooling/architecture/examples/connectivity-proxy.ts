import type { ConnectivityServiceOptions, openConnectorAuthority } from '@sallyport/connectivity-proxy'
import type { Logger } from '@sallyport/core'

export const typesOnly = 'it listens on fixed ports'
export declare const repository: ConnectivityServiceOptions['repository']
export declare const sealer: Parameters<typeof openConnectorAuthority>[0]['sealer']
export declare const clock: ConnectivityServiceOptions['clock']
export declare const log: Logger
export declare const verifier: ConnectivityServiceOptions['verifier']
export declare const trust: ConnectivityServiceOptions['trust']
export declare const audit: ConnectivityServiceOptions['audit']
export declare const tls: ConnectivityServiceOptions['api']['tls']
