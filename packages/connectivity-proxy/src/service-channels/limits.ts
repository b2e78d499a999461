/** Streams of service channels that one connector may have open. Overflow: the stream is refused. Half of what a tunnel carries, so that requests have room. */
export const maxChannelStreams = 30_000

/** Name, TCP of a service: together with the way through the tunnel below the 15 s that the connector waits. Overflow: the connector is told that the service cannot be reached. */
export const serviceConnectTimeoutMs = 12_000

/** Time a connector has to close a stream that it was refused on. Overflow: the stream is reset. */
export const refusedChannelLingerMs = 2_000

/** Connections to services that say nothing are probed after so long, before firewalls forget them. */
export const serviceKeepAliveMs = 60_000
