/** Every size and time limit of the tunnel, with the reason for its value. `docs/tunnel-protocol.md` lists them for operators. */

// Wire constants of protocol version 1: both sides rely on them, so they change only together with the version.

/** Largest body of a DATA frame: one read of a Node socket, so that a chunk needs no cutting. Beyond: the connection is aborted. */
export const maxDataBytes = 65_536

/** Credit that each side of a stream starts with: 25 MB/s at 10 ms, and all that a stream whose reader never reads can cost. Beyond the credit: the connection is aborted. */
export const initialWindowBytes = 262_144

/** What a message costs in credit besides its bytes, so that empty messages are not free. */
export const messageOverheadBytes = 8

/** Largest credit that a stream may hold; more would overflow the 31 bits that implementations count in. Beyond: the connection is aborted. */
export const maxCreditBytes = 0x7fff_ffff

/** Lanes of one connection; two are the default, more than a handful only cost handshakes. Beyond: the hello is ignored. */
export const maxLanes = 16

/** Streams that one side may have open towards the other: as many as a machine has ports. Beyond: the connection is aborted. */
export const maxStreams = 65_536

/**
 * Frames that one write gathers. With all frames of a turn in one, many small requests go through the chain as one herd, each process idle while another works on
 * the whole of it; with few, system calls and TLS records cost more than they carry. Nothing overflows: the next frame begins the next write.
 */
export const framesPerWrite = 16

/** Body of a frame below which its bytes are not what it costs: an HTTP message of a few kilobytes, but no part of a transfer. */
export const smallFrameBytes = 8_192

/**
 * Small frames of one lane after which the rest of what has arrived waits for the next turn of the event loop. Else 64 answers that came together would all be passed on
 * before any of the requests they lead to is read, and the peer would have nothing to do meanwhile. What waits stays in the socket, which reads no more when that is much.
 */
export const smallFramesPerTurn = 8

/** What one side chooses for itself. */
export interface MultiplexerLimits {
  /** Streams we open at once: below {@link maxStreams}, because the peer may still count streams whose end is on its way on another lane. */
  readonly maxOpenedStreams: number
  /** Largest receive window: fills 160 MB/s at 100 ms. */
  readonly maxWindowBytes: number
  /** Bytes after which a stream counts as bulk and leaves lane 0: it has then used up its first credit once. */
  readonly bulkAfterBytes: number
  /** Bytes that wait in a lane before streams queue behind it: a few milliseconds at full speed, little beside one window. */
  readonly laneBufferBytes: number
  /** The same in a lane that only bulk uses: nobody waits behind it, and streams that take turns pause less often. */
  readonly bulkLaneBufferBytes: number
  /** Bytes that may wait in a lane in all. Only answers to a peer that asks without reading pass the lane's buffer. */
  readonly maxLaneBacklogBytes: number
  /** Time between pings of a lane: below the 30..60 s after which middle boxes forget idle connections. */
  readonly pingIntervalMs: number
  /** Intervals in which nothing at all arrived on a lane before it is dead. */
  readonly maxMissedPings: number
  /** Time the peer has for its half of an orderly end before the sockets are destroyed. */
  readonly lingerMs: number
}

export const defaultMultiplexerLimits: MultiplexerLimits = {
  maxOpenedStreams: 61_440,
  maxWindowBytes: 16_777_216,
  bulkAfterBytes: 262_144,
  laneBufferBytes: 262_144,
  bulkLaneBufferBytes: 1_048_576,
  maxLaneBacklogBytes: 8_388_608,
  pingIntervalMs: 10_000,
  maxMissedPings: 3,
  lingerMs: 5_000,
}

/** Limits of a TLS listener and dialler. */
export interface TlsLimits {
  /** TLS handshake, hello and the arrival of every lane together: ten times what a slow intercontinental link needs. */
  readonly handshakeMs: number
  /** Sockets that have not finished their hello, and lanes that wait for their siblings. The oldest makes room for a newer one. */
  readonly maxHalfOpen: number
  /** Idle time before the kernel probes a connection: the safety net below our own pings. */
  readonly keepAliveMs: number
}

export const defaultTlsLimits: TlsLimits = {
  handshakeMs: 10_000,
  maxHalfOpen: 1_024,
  keepAliveMs: 30_000,
}

/** Limits of {@link createTunnelClient}. */
export interface TunnelClientLimits {
  /** One deadline for dialling, handshakes and the server's welcome. */
  readonly connectMs: number
  /** Back-off: full jitter below a ceiling that doubles from the first to the second. */
  readonly backOffFloorMs: number
  readonly backOffCeilingMs: number
  /** A connection that lived this long starts the back-off anew. */
  readonly stableAfterMs: number
  /** Wait after a refusal that only a person can lift: another connector holds the location, or the certificate is not accepted. */
  readonly refusedRetryMs: number
  /** Wait after another connection with our connector ID has replaced ours: long, so that two copies of an installation do not chase each other. */
  readonly replacedRetryMs: number
  /** Time an answer to `get-trust` or `renew-certificate` may take when the caller sets no shorter one. */
  readonly requestMs: number
  /** Requests of one kind that wait for an answer at once. */
  readonly maxPendingRequests: number
  /** Issuers, and keys, in an announcement across its messages. Beyond: the connection is aborted. */
  readonly maxTrustEntries: number
}

export const defaultTunnelClientLimits: TunnelClientLimits = {
  connectMs: 20_000,
  backOffFloorMs: 200,
  backOffCeilingMs: 30_000,
  stableAfterMs: 30_000,
  refusedRetryMs: 60_000,
  replacedRetryMs: 300_000,
  requestMs: 30_000,
  maxPendingRequests: 8,
  maxTrustEntries: 10_000,
}

/** Limits of {@link createTunnelServer}. */
export interface TunnelServerLimits {
  /** Time a connection has for its control opening, and the authorisation for its answer. */
  readonly controlMs: number
  /** How long a request waits for a connector that was connected until just now; also how long "just now" is. The original's open timeout. */
  readonly openTimeoutMs: number
  /** Requests that wait at once, over all connectors: each holds a client socket. */
  readonly maxWaiting: number
  /** Connections that have not been accepted yet. */
  readonly maxUnaccepted: number
  /** Time the streams of an expired or disconnected connection have to finish. */
  readonly drainMs: number
  /**
   * Time the streams of a replaced connection have to finish. A connector that gives its role to another one lets clients of its service channels finish for up to an
   * hour, which the connector ends by itself; a peer that is gone is noticed by its missing pings.
   */
  readonly replacedDrainMs: number
  /** Connectors remembered as "connected until just now". */
  readonly maxDeparted: number
  /** Exposed systems kept per connector, across the messages of one announcement. */
  readonly maxExposedSystems: number
  /** Requests (`get-trust`, `renew-certificate`) of one connector that are under way at once. */
  readonly maxPendingRequests: number
}

export const defaultTunnelServerLimits: TunnelServerLimits = {
  controlMs: 10_000,
  openTimeoutMs: 10_000,
  maxWaiting: 10_000,
  maxUnaccepted: 1_024,
  drainMs: 60_000,
  replacedDrainMs: 3_660_000,
  maxDeparted: 10_000,
  maxExposedSystems: 10_000,
  maxPendingRequests: 8,
}

/** Longest names in messages, in characters: locations, connectors, hosts, protocols, issuers. Longer ones make the message invalid. */
export const maxNameCharacters = 1_024

/** Longest description of a connector, in characters. Longer ones make the opening invalid. */
export const maxDescriptionCharacters = 4_096
