import { abortedError, ConnectivityError } from '@sallyport/core'
import { type BeginStream, holdStream } from '@sallyport/tunnel'
import { type ChannelRefusal, endWithoutAnswer, readChannelAnswer } from './channel-refusal.ts'

/**
 * Has the cloud side lead a stream to a service as it would for a client, and gives it up as soon as the service is there. The service sees a connection that
 * ends without a byte.
 *
 * @throws ConnectivityError why a client would be turned away; what the signal says.
 */
export function tryService(open: BeginStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (refusal?: ChannelRefusal): void => {
      signal.removeEventListener('abort', giveUp)
      if (refusal === undefined) resolve()
      else reject(new ConnectivityError(refusal.code, refusal.message))
    }
    const giveUp = (): void => {
      reject(abortedError(signal, 'waiting for the service of a channel'))
      held.stream.reset('cancelled')
    }
    const held = holdStream(open, {
      onMessage(message, { stream }) {
        settle(readChannelAnswer(message))
        stream.reset('cancelled')
      },
      onClose: (reason) => settle(endWithoutAnswer(reason)),
    })
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
  })
}
