import type { TcpAnswer } from '@sallyport/tunnel'
import { tryParseTcpAnswer } from '@sallyport/tunnel'
import type { Refusal } from '../refusal.ts'
import * as refusals from '../refusals.ts'
import { socksReplies, type SocksReply } from './protocol.ts'

type RefusalCode = Extract<TcpAnswer, { readonly kind: 'refused' }>['code']

const meanings: Readonly<Record<RefusalCode, { readonly status: number; readonly reply: SocksReply }>> = {
  ACCESS_DENIED: { status: 403, reply: socksReplies.notAllowed },
  BACKEND_UNREACHABLE: { status: 502, reply: socksReplies.hostUnreachable },
  BACKEND_UNTRUSTED: { status: 502, reply: socksReplies.hostUnreachable },
  BACKEND_TIMEOUT: { status: 504, reply: socksReplies.hostUnreachable },
  PROTOCOL_VIOLATION: { status: 502, reply: socksReplies.failure },
}

/** Reads what the connector says about a TCP connection; `connected`, or the refusal that the application gets to see. */
export function readTcpAnswer(message: Buffer): 'connected' | Refusal {
  const answer = tryParseTcpAnswer(message)
  if (answer === undefined) return refusals.answerUnusable
  if (answer.kind === 'connected') return 'connected'
  return { code: answer.code, text: answer.message, ...meanings[answer.code] }
}
