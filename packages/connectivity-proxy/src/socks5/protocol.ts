/** Numbers of RFC 1928 and of the token method that the original adds. */
export const socksVersion = 5
export const tokenMethod = 0x80
export const noAuthenticationMethod = 0x00
export const noAcceptableMethod = 0xff
export const tokenNegotiationVersion = 1

export const connectCommand = 1

export const addressTypes = { ipv4: 1, domain: 3, ipv6: 4 } as const

/** Reply codes with the meaning that clients print. */
export const socksReplies = {
  succeeded: 0,
  failure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  authenticationFailed: 5,
  commandUnsupported: 7,
  addressTypeUnsupported: 8,
} as const
export type SocksReply = (typeof socksReplies)[keyof typeof socksReplies]

/** `05 METHOD` */
export function formatMethodChoice(method: number): Buffer {
  return Buffer.from([socksVersion, method])
}

/** `01 STATUS`: clients read exactly two bytes. */
export function formatTokenAnswer(status: SocksReply): Buffer {
  return Buffer.from([tokenNegotiationVersion, status])
}

/**
 * Always the ten bytes of an IPv4 answer with an empty address, failures too: some clients skip nothing for other address
 * types and would take address bytes for payload.
 */
export function formatReply(reply: SocksReply): Buffer {
  return Buffer.from([socksVersion, reply, 0, addressTypes.ipv4, 0, 0, 0, 0, 0, 0])
}
