import { type ConnectivityError, foreignText, type StreamCloseReason } from '@sallyport/core'
import { type TcpAnswer, tryParseTcpAnswer } from '@sallyport/tunnel'

/** Why a client was not joined to a service. */
export interface ChannelRefusal {
  readonly code: Extract<TcpAnswer, { readonly kind: 'refused' }>['code'] | ConnectivityError['code']
  readonly message: string
}

/** What the cloud side says about a stream of a service channel: why not, or `undefined` when the service is there. */
export function readChannelAnswer(message: Buffer): ChannelRefusal | undefined {
  const answer = tryParseTcpAnswer(message)
  if (answer === undefined) return { code: 'PROTOCOL_VIOLATION', message: 'the cloud side has answered with nonsense' }
  return answer.kind === 'refused' ? { code: answer.code, message: foreignText(answer.message) } : undefined
}

/** What it means that a stream ends before its answer. */
export function endWithoutAnswer({ kind }: StreamCloseReason): ChannelRefusal {
  return kind === 'lost'
    ? { code: 'TUNNEL_LOST', message: 'the tunnel was lost' }
    : { code: 'SERVICE_UNAVAILABLE', message: 'the cloud side takes no connection of a service channel now' }
}
