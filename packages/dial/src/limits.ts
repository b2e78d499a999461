/** Whole attempt of a direct dial: name, connection. The documented advice for clients is "a couple of seconds"; a slow name service needs a few more. */
export const connectTimeoutMs = 10_000

/** Whole negotiation with a proxy, the far connection included: what the released clients of the SOCKS5 port allow. */
export const negotiationTimeoutMs = 30_000

/** First TCP keep-alive probe. Firewalls forget idle connections after some minutes. */
export const keepAliveDelayMs = 60_000

/** Largest answer head of an HTTP proxy. Proxies that answer 407 add several challenges and a cookie or two; a body is not read. */
export const maxProxyAnswerBytes: number = 16 * 1024

/** Largest token of the SOCKS5 sub-negotiation that a connectivity proxy accepts. */
export const maxTokenBytes: number = 64 * 1024

/** Longest location ID in Base64: its length is one byte, and whole groups of four leave 252. */
export const maxEncodedLocationBytes = 252

/** Longest host name in a SOCKS5 request: its length is one byte. DNS names are shorter; virtual hosts need not be DNS names. */
export const maxHostBytes = 255

/** Largest answer of a connector to the opening of a stream: a code and one sentence. */
export const maxTunnelAnswerBytes: number = 8 * 1024

/** Text of a connector's refusal that goes into our error: one sentence. */
export const maxRefusalTextLength = 500
