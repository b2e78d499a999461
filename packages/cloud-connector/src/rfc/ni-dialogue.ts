import type { Socket } from 'node:net'
import { ConnectivityError } from '@sallyport/core'
import { createNiReader, formatNiFrame, type NiFrame, niPong } from '@sallyport/rfc-wire'

/** Question and answer over NI frames, before a connection is handed on. */
export interface NiDialogue {
  send(payload: Buffer): void
  /** The next frame that is no ping. @throws ConnectivityError `BACKEND_UNREACHABLE` when the peer ends, breaks or overdoes it. */
  receive(): Promise<Exclude<NiFrame, { readonly kind: 'ping' }>>
  /** Gives the socket back, paused and without listeners. @throws as `receive`, when the peer has said more than it was asked. */
  release(): Socket
}

/** Talks over a socket that belongs to the caller, who destroys it when this throws. `who` is the peer, for messages. */
export function openNiDialogue(socket: Socket, options: { readonly maxPayloadBytes: number; readonly who: string }): NiDialogue {
  const reader = createNiReader({ maxPayloadBytes: options.maxPayloadBytes })
  const frames: Exclude<NiFrame, { readonly kind: 'ping' }>[] = []
  let failure: ConnectivityError | undefined
  let wake: (() => void) | undefined

  const hasNews = (): boolean => frames.length > 0 || failure !== undefined
  const fail = (what: string): void => {
    failure ??= new ConnectivityError('BACKEND_UNREACHABLE', `${options.who} ${what}`)
    wake?.()
  }
  const onData = (chunk: Buffer): void => {
    const read = reader.read(chunk)
    for (const frame of read.frames) {
      if (frame.kind === 'ping') socket.write(formatNiFrame(niPong))
      else frames.push(frame)
    }
    if (read.refused !== undefined) fail('does not speak the protocol')
    // One answer to one question: nobody has to keep more than that.
    if (frames.length > 1) fail('answers more than it was asked')
    wake?.()
  }
  const onEnd = (): void => fail('has closed the connection without an answer')
  socket.on('data', onData).on('end', onEnd).on('error', onEnd).on('close', onEnd)
  // A dialogue before this one may have paused it.
  socket.resume()

  return {
    send: (payload) => void socket.write(formatNiFrame(payload)),
    async receive() {
      while (!hasNews()) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (failure !== undefined) throw failure
      return frames.shift() as Exclude<NiFrame, { readonly kind: 'ping' }>
    },
    release() {
      socket.pause()
      socket.off('data', onData).off('end', onEnd).off('error', onEnd).off('close', onEnd)
      if (failure !== undefined) throw failure
      if (frames.length > 0 || !reader.betweenFrames)
        throw new ConnectivityError('BACKEND_UNREACHABLE', `${options.who} answers more than it was asked`)
      return socket
    },
  }
}
