import type { TcpAnswer } from '@sallyport/tunnel'
import type { Refusal } from '../refusal.ts'
import * as refusals from '../refusals.ts'
import { socksReplies } from './protocol.ts'

/** Reads what the connector says about a TCP connection; `connected`, or the refusal that the application gets to see. */
export function readTcpAnswer(message: Buffer): 'connected' | Refusal {
  let answer: Partial<TcpAnswer> | null
  try {
    answer = JSON.parse(message.toString('utf8')) as Partial<TcpAnswer> | null
  } catch {
    return refusals.answerUnusable
  }
  if (answer?.kind === 'connected') return 'connected'
  if (answer?.kind !== 'refused') return refusals.answerUnusable
  const text = typeof answer.message === 'string' ? answer.message : 'The cloud connector refused the connection'
  switch (answer.code) {
    case 'ACCESS_DENIED':
      return { code: answer.code, status: 403, reply: socksReplies.notAllowed, text }
    case 'BACKEND_UNREACHABLE':
    case 'BACKEND_UNTRUSTED':
      return { code: answer.code, status: 502, reply: socksReplies.hostUnreachable, text }
    case 'BACKEND_TIMEOUT':
      return { code: answer.code, status: 504, reply: socksReplies.hostUnreachable, text }
    default:
      return { code: 'PROTOCOL_VIOLATION', status: 502, reply: socksReplies.failure, text }
  }
}
