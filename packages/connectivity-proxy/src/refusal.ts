import type { ErrorCode } from '@sallyport/core'
import type { SocksReply } from './socks5/protocol.ts'

/** Why the proxy does not pass a request on. Each listener renders it in its own way; `refusals.ts` has all of them with their texts. */
export interface Refusal {
  readonly code: ErrorCode
  readonly status: number
  readonly reply: SocksReply
  /** One line for people. Programs of others match on parts of some of them, so those stay as they are. */
  readonly text: string
  /** What log and audit say instead, where programs of others need a text that says less than the truth. */
  readonly reason?: string
}

/** Tells a refusal from what was hoped for instead. */
export function isRefusal(value: object): value is Refusal {
  return 'reply' in value && 'status' in value
}
