/** A call to an address out of somebody's destination. Holds everything that the answer depends on. */
export interface OutgoingRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  /** Scheme, host and port. */
  readonly origin: string
  /** Path and query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly route: OutgoingRoute
  readonly tls: OutgoingTls
  readonly connectTimeoutMs: number
  /** How long the peer may be silent. */
  readonly readTimeoutMs: number
}

/** Which way a call takes. */
export type OutgoingRoute =
  /** Straight there; the address is checked before it is dialled. */
  | { readonly kind: 'internet' }
  /** To a service of this installation: its operator has chosen the address. */
  | { readonly kind: 'own-service' }
  /** Through the cloud connector of that subaccount and location. */
  | { readonly kind: 'on-premise'; readonly subaccountId: string; readonly locationId: string }

/** Whom to trust, and who we are, where the call is made over TLS. */
export interface OutgoingTls {
  /** Accepts every certificate, because the destination says so. */
  readonly trustAll: boolean
  /** Certificates (PEM) that are trusted beside the usual ones. */
  readonly authorities: readonly string[]
  readonly hostnames: HostnameVerifier
  /** Chain (leaf first) and key, PEM, that are presented to the server. */
  readonly client?: { readonly certificates: readonly string[]; readonly privateKey: string }
}

/** How a wildcard in a server certificate is read: for one label, or for several as browsers once did. */
export type HostnameVerifier = 'Strict' | 'BrowserCompatible'

/** TLS as it is without any wish of a destination. */
export const usualTls: OutgoingTls = { trustAll: false, authorities: [], hostnames: 'Strict' }

/** What a peer has answered, whatever the status. */
export interface OutgoingAnswer {
  readonly status: number
  readonly body: string
}
