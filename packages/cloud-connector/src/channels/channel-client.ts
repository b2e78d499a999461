import type { Socket } from 'node:net'
import { type Clock, ConnectivityError, type TunnelStream, type TunnelStreamHandlers } from '@sallyport/core'
import { holdStream, relay } from '@sallyport/tunnel'
import type { Deadlines, Waiting } from '../deadlines.ts'
import { type ChannelRefusal, endWithoutAnswer, readChannelAnswer } from './channel-refusal.ts'
import type { ChannelCounter } from './channel-usage.ts'

/** A connection of an on-premise client to a local port. */
export interface ChannelClient {
  /** Gives up both sides at once. */
  abort(): void
}

/**
 * Joins a client to a stream that the cloud side leads to a service. Until it has said that the service is there nothing of the client is read; when it is not,
 * the client is reset, because an end would look like an answer without bytes. Takes the socket over, which has to be paused and half-closing.
 */
export function serveChannelClient(
  socket: Socket,
  options: {
    /** @throws ConnectivityError when the tunnel takes no stream at this moment. */
    readonly open: (handlers: TunnelStreamHandlers) => TunnelStream
    readonly timeoutMs: number
    readonly clock: Clock
    readonly deadlines: Deadlines
    readonly counter: ChannelCounter
    readonly onJoined: () => void
    readonly onRefused: (refusal: ChannelRefusal) => void
    readonly onClosed: () => void
  },
): ChannelClient {
  const { clock, counter, deadlines } = options
  const giveUpAtMs = clock.elapsed() + options.timeoutMs
  let stream: TunnelStream | undefined
  let isJoined = false
  let isOver = false
  let counted = { sent: 0, received: 0 }

  const countBytes = (): void => {
    if (stream === undefined) return
    const { bytesReceived, bytesSent } = stream
    counter.add(clock.now(), bytesSent - counted.sent, bytesReceived - counted.received)
    counted = { sent: bytesSent, received: bytesReceived }
  }
  const over = (): void => {
    if (isOver) return
    isOver = true
    countBytes()
    deadlines.remove(waiting)
    options.onClosed()
  }
  /** The client has gone before anybody answered. */
  const left = (): void => {
    over()
    stream?.reset('cancelled')
  }
  const refuse = (refusal: ChannelRefusal): void => {
    if (isOver || isJoined) return
    over()
    socket.off('close', left).resetAndDestroy()
    stream?.reset('cancelled')
    options.onRefused(refusal)
  }
  const waiting: Waiting = {
    check(elapsedMs) {
      if (isJoined) countBytes()
      else if (elapsedMs >= giveUpAtMs)
        refuse({ code: 'BACKEND_TIMEOUT', message: `the cloud side has not answered in ${options.timeoutMs / 1000} s` })
    },
  }

  // Errors are followed by 'close'.
  socket.on('error', () => {}).on('close', left)
  deadlines.add(waiting)
  try {
    const held = holdStream(options.open, {
      onMessage(message) {
        const refusal = readChannelAnswer(message)
        if (refusal !== undefined) return refuse(refusal)
        isJoined = true
        socket.off('close', left)
        relay(socket, held.take, { onClose: over })
        options.onJoined()
      },
      onClose: (reason) => refuse(endWithoutAnswer(reason)),
    })
    ;({ stream } = held)
  } catch (error) {
    refuse(ConnectivityError.is(error) ? error : { code: 'TUNNEL_LOST', message: 'the tunnel takes no stream' })
  }
  return {
    abort() {
      // The relay resets the socket with the stream.
      if (isJoined) return stream?.reset('cancelled')
      socket.resetAndDestroy()
      left()
    },
  }
}
