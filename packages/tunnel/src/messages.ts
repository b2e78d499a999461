/**
 * The messages that connector and proxy exchange on the streams of a tunnel. Byte layout of frames: `docs/tunnel-protocol.md`.
 * Every message is one JSON object in UTF-8, at most `maxStreamMessageBytes`; unknown members are ignored, unknown kinds refuse the stream.
 */

/** First message of a stream that the proxy opens towards the connector. */
export type StreamOpening = HttpOpening | TcpOpening

interface OpeningBase {
  readonly subaccount: string
  readonly locationId: string
  /** As the application wrote it, lower-cased by the proxy. */
  readonly virtualHost: string
  readonly virtualPort: number
  readonly correlationId: string
  /** Client ID of the application that has connected, where it has shown one: for monitoring alone, nothing is decided by it. */
  readonly application?: string
}

/**
 * A connection of an application to the HTTP listener. The bytes that follow are HTTP/1.1 requests whose heads the proxy has
 * read and written again in origin form; the connector decides about each of them. Answers come back as HTTP, refusals too.
 */
export interface HttpOpening extends OpeningBase {
  readonly kind: 'http'
  /** The principal of the first request. A later request with another token is preceded by a {@link PrincipalMessage}. */
  readonly principal?: WirePrincipal
}

/** A connection of an application to the SOCKS5 listener: opaque bytes, once the connector has sent {@link TcpAnswer}. */
export interface TcpOpening extends OpeningBase {
  readonly kind: 'tcp'
  /** Milliseconds the proxy is going to wait for the {@link TcpAnswer}. */
  readonly timeoutMs: number
}

/**
 * First message of a stream that the connector opens: a connection of an on-premise client to a service of the cloud side (service channel).
 * The cloud side answers with a {@link TcpAnswer} before any byte, or refuses the stream. Since version {@link channelMessageVersion}.
 */
export interface ChannelOpening {
  readonly kind: 'channel'
  readonly serviceType: ServiceType
  /** Which service of the subaccount is meant. What it stands for is decided by the cloud side. */
  readonly serviceId: string
  /** `host:port` of the cluster that the channel was made for; without it, any. */
  readonly cluster?: string
  readonly correlationId: string
  /** Milliseconds the connector is going to wait for the answer. */
  readonly timeoutMs: number
}

/** What a service of the cloud side speaks. */
export type ServiceType = 'RFC' | 'TCP'

/** Token of a principal, out of band: it is never a header of the tunnelled request. */
export interface WirePrincipal {
  readonly kind: 'business' | 'technical'
  readonly token: string
}

/** Proxy to connector on an `http` stream, before the bytes of the request it applies to; `null` for none. */
export interface PrincipalMessage {
  readonly kind: 'principal'
  readonly principal: WirePrincipal | null
  readonly correlationId: string
}

/** Whoever dials for the other, before any byte: the connector on a `tcp` stream, the proxy on a `channel` stream. After a refusal it ends the stream. */
export type TcpAnswer =
  | { readonly kind: 'connected' }
  | {
      readonly kind: 'refused'
      readonly code: 'ACCESS_DENIED' | 'BACKEND_UNREACHABLE' | 'BACKEND_UNTRUSTED' | 'BACKEND_TIMEOUT' | 'PROTOCOL_VIOLATION'
      readonly message: string
    }

/** Messages on the control stream, which the connector opens first with {@link ControlOpening}. */
export interface ControlOpening {
  readonly kind: 'control'
  /** Versions of these messages that the connector speaks, newest first. The transport has a version of its own. */
  readonly versions: readonly number[]
  readonly locationId: string
  /** Identity of the installation; a newer connection of the same one replaces the older. */
  readonly connectorId: string
  readonly agentVersion: string
  readonly description: string
}

/** Why a connector may not open a tunnel. Only `SERVICE_UNAVAILABLE` passes by itself. */
export type ControlRefusalCode = 'VERSION_UNSUPPORTED' | 'PEER_UNTRUSTED' | 'LOCATION_TAKEN' | 'SERVICE_UNAVAILABLE'

export type ControlFromServer =
  | { readonly kind: 'welcome'; readonly version: number; readonly subaccount: string; readonly tunnelId: string }
  | { readonly kind: 'refused'; readonly code: ControlRefusalCode; readonly message: string }
  /** The server is going to stop: open no new work, dial again elsewhere or later. */
  | { readonly kind: 'drain' }
  /** The replaced connection learns why it is closed, so that two installations do not chase each other. */
  | { readonly kind: 'replaced' }
  /** What does not fit into one message continues in the next; an issuer may then appear again with further keys. */
  | { readonly kind: 'trust'; readonly issuers: readonly TrustedIssuer[]; readonly more?: true }
  | { readonly kind: 'trust-changed' }
  | { readonly kind: 'certificate'; readonly certificate: string; readonly authorities: string }
  | { readonly kind: 'certificate-refused'; readonly message: string }

export type ControlFromConnector =
  | { readonly kind: 'get-trust' }
  /** What the connector exposes, for the registry and the cockpit: names only. Continued like `trust`. */
  | { readonly kind: 'exposed'; readonly digest: string; readonly systems: readonly ExposedSystem[]; readonly more?: true }
  /** Renewal of the subaccount certificate: a PEM certification request for a new key. */
  | { readonly kind: 'renew-certificate'; readonly request: string }

/** One system that a connector exposes, by its virtual name. */
export interface ExposedSystem {
  readonly protocol: string
  /** `virtual host:port` */
  readonly host: string
  readonly type: string
  readonly description: string
}

/** A token issuer as the subaccount trusts it. */
export interface TrustedIssuer {
  readonly issuer: string
  readonly name: string
  readonly type: 'OAUTH2' | 'OIDC'
  /** JSON Web Key Set, RFC 7517 §5, public keys only. */
  readonly keys: readonly Readonly<Record<string, unknown>>[]
}

/** Version of the messages above; a peer that offers this or {@link oldestMessageVersion} works. */
export const messageVersion = 2
export const oldestMessageVersion = 1

/** Connectors open streams since this version. */
export const channelMessageVersion = 2

/** Renders any message of this file. */
export function formatMessage(
  message: StreamOpening | ChannelOpening | ControlOpening | PrincipalMessage | TcpAnswer | ControlFromServer | ControlFromConnector,
): Buffer {
  return Buffer.from(JSON.stringify(message), 'utf8')
}
