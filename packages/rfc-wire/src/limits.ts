/** Largest NI payload on a connection that is relayed. APPC records hold at most 28000 bytes of data, 80 of header and 8 of tail; longer frames are refused before memory is taken. */
export const maxRelayedFrameBytes: number = 1024 * 1024

/** Largest NI payload that a client takes. Servers were seen to use APPC records only; the rest is reserve. Longer frames are refused before memory is taken. */
export const maxClientFrameBytes: number = 16 * 1024 * 1024

/** First memory taken for a frame that has not arrived wholly; doubles as bytes arrive, so that a stated length alone costs nothing. */
export const firstFrameBufferBytes: number = 4096

/** Hops of a route string, the target included. The wire has one byte for them; real routes have two or three. More are refused. */
export const maxRouteHops: number = 32

/** Longest route string and longest list of hops in a route request. Room for 32 hops of long names. More is refused. */
export const maxRouteBytes: number = 4096

/** Longest error text of a SAProuter. It is a dozen short lines; longer ones are refused. */
export const maxRouterErrorBytes: number = 16 * 1024

/** Longest host name of an application server that a message server may name: what DNS allows. Longer ones are refused. */
export const maxGroupHostBytes: number = 255

/** Data of one APPC record towards the server: what servers say they can receive. Larger requests are sent in slices of this size. */
export const maxSliceBytes: number = 28_000

/** Slices that may be sent before the server has to acknowledge one. */
export const maxUnacknowledgedSlices: number = 21

/** Largest RFC packet that we announce behind every request, as all captured clients do. */
export const announcedPacketBytes: number = 0x8500

/** Fields of one chain in memory at a time. Each table row is a field; a larger reply is refused. */
export const maxChainFields: number = 1_000_000

/** Records put together to one reply, without their headers. A larger reply is refused before its next record is kept. */
export const maxReplyBytes: number = 256 * 1024 * 1024

/** Longest name of a function module. Longer ones are refused. */
export const maxFunctionNameLength: number = 30

/** Longest password that the logon can carry. Longer ones are refused. */
export const maxPasswordBytes: number = 40

/** Longest value that one XML field carries; longer XML is spread over several. */
export const maxXmlFieldBytes: number = 16 * 1024
