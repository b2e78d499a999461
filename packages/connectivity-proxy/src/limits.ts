import type { HeadLimits } from '@sallyport/http-head'

/** Bounds of the two listeners. Every one has a default in {@link defaultProxyLimits}; what happens on overflow stands beside it. */
export interface ProxyLimits {
  /** Sockets per listener. One more is closed at once. */
  readonly maxConnections: number
  /** Sockets per listener that have not yet been admitted: no complete SOCKS5 handshake, no authorised HTTP request. One more is closed at once. */
  readonly maxPendingConnections: number
  /** Bytes of unfinished heads and handshakes that one listener holds for all its sockets together. The socket that would exceed it is closed. */
  readonly maxPendingBytes: number
  /** Head of a request of an application. Overflow: 414 or 431, connection closed. */
  readonly requestHead: HeadLimits
  /** Head of an answer out of the tunnel. Overflow: 502. */
  readonly responseHead: HeadLimits
  /** Token of the SOCKS5 negotiation. Longer: `01 05` before a byte of it is stored. */
  readonly maxSocksTokenBytes: number
  /** From the first byte of a request head (from accepting, for the first one) to its end; then the connection is closed. 0: no limit. */
  readonly headTimeoutMs: number
  /** Between two requests of one connection. 0: the application decides. */
  readonly idleTimeoutMs: number
  /** From accepting a SOCKS5 socket to its success reply. */
  readonly handshakeTimeoutMs: number
  /** Wait for a tunnel that is on its way. Overflow: 504 or reply 03. */
  readonly tunnelOpenTimeoutMs: number
  /** What the connector gets to open a TCP connection to the backend. Overflow: reply 04. */
  readonly backendConnectTimeoutMs: number
  /** How long the first bytes of a backend stay behind the success reply, unless the application speaks first. 0: not at all. */
  readonly greetingPauseMs: number
  /** An application that takes no byte for so long while there are bytes for it is cut off. */
  readonly writeTimeoutMs: number
  /** How long a refused upload is read and thrown away, so that its sender gets to see the refusal. */
  readonly lingerMs: number
}

/** What the proxy does unless it is configured otherwise. */
export const defaultProxyLimits: ProxyLimits = {
  // The descriptor limit that the original checks before it starts, less what tunnels, stores and files need.
  maxConnections: 60_000,
  // More than a burst of a large application opens, and still below 200 MB when somebody opens them on purpose.
  maxPendingConnections: 16_384,
  // A thousand heads of the largest size at the same moment.
  maxPendingBytes: 64 << 20,
  // 8192 is documented for one line. Two tokens and a large cookie need 32 KiB in total.
  requestHead: { maxLineBytes: 8192, maxHeaderCount: 256, maxHeadBytes: 65_536 },
  // Backends send long policies and many cookies; they are believed more than strangers, within reason.
  responseHead: { maxLineBytes: 32_768, maxHeaderCount: 512, maxHeadBytes: 131_072 },
  maxSocksTokenBytes: 65_536,
  // Slow-loris protection. A head is one or two packets; a minute is generous on any line.
  headTimeoutMs: 60_000,
  idleTimeoutMs: 0,
  // Mail clients wait 30 s for the answer of a proxy.
  handshakeTimeoutMs: 30_000,
  // Documented default of the original.
  tunnelOpenTimeoutMs: 10_000,
  // Together with the tunnel wait below the 30 s that clients give a handshake.
  backendConnectTimeoutMs: 15_000,
  // Clients hand the connection over to whoever speaks the protocol, and what arrives together with the reply is lost to some of them, the official mail
  // client among them. Noticeable to no human, and only where the server speaks first.
  greetingPauseMs: 50,
  // `clientConnection.writeTimeoutSeconds` of the original.
  writeTimeoutMs: 10_000,
  lingerMs: 2000,
}

/** Longest virtual host: a domain name (RFC 1035 §2.3.4), and what one length byte of SOCKS5 can say. */
export const maxVirtualHostBytes = 255

/** Longest location ID in UTF-8: 252 characters of Base64 are the most that SOCKS5 can carry, and both listeners take the same. */
export const maxLocationIdBytes = 189

/** Keep-alive probes begin after a minute of silence, so that load balancers do not drop quiet SOCKS5 connections. */
export const keepAliveInitialDelayMs = 60_000

/** First buffer of a head or token that arrives in pieces; doubles up to its limit, so no length field makes us allocate. */
export const firstPieceBytes = 1024

/** Distinct tunnels whose opening time-outs are counted by name; further ones count as `other`, so that a metric has no unbounded labels. */
export const maxCountedTunnels = 1000

/** After so long a draining listener cuts what is still open, unless the caller says otherwise. */
export const defaultGraceMs = 10_000

/** A listener that is full says so once in a while, not for every connection that it turns away. */
export const fullWarningIntervalMs = 60_000

/** Bytes that wait in an application's socket before its stream pauses: what one turn of the event loop brings, little beside the window of a stream. */
export const clientBufferBytes = 131_072

/** Repeated refusals of one kind make one audit line with their count per so long, besides the first. */
export const refusalAuditWindowMs = 60_000

/** Kinds of refusals that are counted each by itself; further ones count together by subaccount, and beyond twice as many all together. Two lines each per window. */
export const maxAuditedRefusals = 1_000

/** Characters that tell kinds of refusals apart. Texts quote paths of 8 kB; longer ones that begin the same count as one kind. */
export const maxRefusalKindLength = 512

/** Streams of service channels that one connector may have open. Overflow: the stream is refused. Half of what a tunnel carries, so that requests have room. */
export const maxChannelStreams = 30_000

/** Name, TCP of a service: together with the way through the tunnel below the 15 s that the connector waits. Overflow: the connector is told that the service cannot be reached. */
export const serviceConnectTimeoutMs = 12_000

/** Time a connector has to close a stream that it was refused on. Overflow: the stream is reset. */
export const refusedChannelLingerMs = 2_000

/** Connections to services that say nothing are probed after so long, before firewalls forget them. */
export const serviceKeepAliveMs = 60_000

/** Client ID of an application as connectors are told it, for monitoring: longer than those of token services; what is beyond is left out. */
export const maxApplicationCharacters = 255
