import type { Socket } from 'node:net'
import { type Clock, resetSocket, type StreamCloseReason, type TunnelStream } from '@sallyport/core'
import { createNiReader, formatNiFrame, maxRelayedFrameBytes, type NiFrame, niPing, niPong } from '@sallyport/rfc-wire'
import { discard, type HeldStream } from '@sallyport/tunnel'
import { lingerMs, rfcDeadPeerMs, rfcPingMs, rfcSetupMs } from '../limits.ts'
import { relayedFrame } from './relayed-frame.ts'
import type { RelayedConversation, RfcRefusal } from './verdict.ts'

/** What a relay works with. */
export interface RfcRelayOptions {
  readonly socket: Socket
  readonly take: HeldStream['take']
  readonly conversation: RelayedConversation
  readonly clock: Clock
  /** 0: no limit. */
  readonly idleTimeoutMs: number
  /** Words what breaks the frames themselves. */
  readonly violation: (reason: string) => RfcRefusal
  /** The relay gives up: the reason is for the log. */
  readonly onBroken: (reason: string) => void
  /** The stream is over; the socket is closed or closing by itself. */
  readonly onClose: (reason: StreamCloseReason) => void
}

/** A relay that runs until both sides are closed. */
export interface RfcRelay {
  /** Looks whether somebody has waited too long. */
  check(elapsedMs: number): void
}

const pingFrame = formatNiFrame(niPing)
const pongFrame = formatNiFrame(niPong)

/**
 * Joins a client to a backend message by message. Keep-alive is answered here on both sides and never passed on. The relay owns the socket from now on.
 */
export function joinRfc(options: RfcRelayOptions): RfcRelay {
  const { clock, conversation, idleTimeoutMs, socket } = options
  const fromClient = createNiReader({ maxPayloadBytes: maxRelayedFrameBytes })
  const fromBackend = createNiReader({ maxPayloadBytes: maxRelayedFrameBytes })
  const startMs = clock.elapsed()
  let messageMs = startMs
  let backendMs = startMs
  let pingedMs: number | undefined
  /** Our side of the stream has ended, and its client has time to read the rest. */
  let endedMs: number | undefined
  let isCorked = false
  /** Somebody has to read before more is written to them. */
  const full = { client: false, backend: false }
  /** The same, for answers to keep-alive: then the one who asks has to wait. */
  const asksTooMuch = { client: false, backend: false }

  const toBackend = (bytes: Buffer): boolean => {
    if (!isCorked) {
      isCorked = true
      socket.cork()
      process.nextTick(() => {
        isCorked = false
        socket.uncork()
      })
    }
    const hasRoom = socket.write(bytes)
    full.backend = !hasRoom
    return hasRoom
  }
  const toClient = (bytes: Buffer): boolean => {
    if (endedMs !== undefined) return true
    const hasRoom = stream.write(bytes)
    full.client = !hasRoom
    return hasRoom
  }

  /** Says why, as far as it can be said, and leaves nothing of the conversation behind at the backend. */
  const refuse = (refusal: RfcRefusal): void => {
    const { toBackend: farewell, toClient: lastWord } = conversation.refuse(refusal)
    if (lastWord !== undefined) toClient(formatNiFrame(lastWord))
    endStream()
    if (farewell === undefined) discard(socket)
    else {
      toBackend(formatNiFrame(farewell))
      socket.end()
    }
  }
  const broken = (reason: string): void => {
    options.onBroken(reason)
    discard(socket)
    stream.reset('failed')
  }
  const endStream = (): void => {
    if (endedMs !== undefined) return
    endedMs = clock.elapsed()
    stream.end()
  }

  const handle = (frame: NiFrame, chunk: Buffer, from: 'client' | 'backend'): void => {
    const isClient = from === 'client'
    if (frame.kind === 'pong') return
    if (frame.kind === 'ping') {
      asksTooMuch[from] = !(isClient ? toClient : toBackend)(pongFrame)
      return
    }
    // Pings keep a connection alive, they are no use of it.
    messageMs = clock.elapsed()
    const verdict = isClient ? conversation.fromClient(frame.payload) : conversation.fromBackend(frame.payload)
    if (verdict.kind === 'pass') (isClient ? toBackend : toClient)(relayedFrame(chunk, verdict.payload))
    else if (verdict.kind === 'refuse') refuse(verdict.refusal)
    else if (verdict.kind === 'broken') broken(verdict.reason)
  }
  const isOver = (): boolean => endedMs !== undefined || socket.destroyed

  const onClientData = (chunk: Buffer): boolean => {
    if (isOver()) return true
    const { frames, refused } = fromClient.read(chunk)
    for (const frame of frames) {
      if (isOver()) return true
      handle(frame, chunk, 'client')
    }
    if (refused !== undefined && !isOver()) refuse(options.violation(refused))
    return !full.backend && !asksTooMuch.client
  }
  const onBackendData = (chunk: Buffer): void => {
    backendMs = clock.elapsed()
    pingedMs = undefined
    if (isOver()) return
    const { frames, refused } = fromBackend.read(chunk)
    for (const frame of frames) {
      if (isOver()) return
      handle(frame, chunk, 'backend')
    }
    if (refused !== undefined && !isOver()) broken(refused)
    if (full.client || asksTooMuch.backend) socket.pause()
  }

  const stream: TunnelStream = options.take({
    onData: onClientData,
    onMessage: () => {},
    onEnd() {
      if (isOver()) return
      if (fromClient.betweenFrames) socket.end()
      else refuse(options.violation('the client ends inside a message'))
    },
    onDrain() {
      full.client = asksTooMuch.client = false
      if (endedMs !== undefined) endedMs = clock.elapsed()
      if (!asksTooMuch.backend) socket.resume()
      if (!full.backend) stream.resume()
    },
    onClose(reason) {
      socket.on('error', () => {})
      if (reason.kind === 'finished') socket.destroySoon()
      else resetSocket(socket)
      options.onClose(reason)
    },
  })
  socket.on('data', onBackendData)
  socket.on('drain', () => {
    full.backend = asksTooMuch.backend = false
    if (!asksTooMuch.client) stream.resume()
    if (!full.client) socket.resume()
  })
  socket.on('end', () => {
    if (endedMs !== undefined || fromBackend.betweenFrames) endStream()
    else broken('the backend ends inside a message')
  })
  socket.on('error', () => {
    if (endedMs === undefined) stream.reset('failed')
  })
  socket.on('close', () => {
    if (endedMs === undefined) stream.reset('cancelled')
  })
  if (socket.destroyed) stream.reset('cancelled')
  else socket.resume()

  return {
    check(elapsedMs) {
      if (endedMs !== undefined) {
        if (!full.client && elapsedMs - endedMs > lingerMs) stream.reset('cancelled')
      } else if (conversation.progress === 'ended') {
        // Whoever has nothing more to say closes; nobody waits for one who does not.
        if (full.client || elapsedMs - messageMs <= lingerMs) return
        socket.end()
        endStream()
      } else if (conversation.progress === 'set-up' && elapsedMs - startMs > rfcSetupMs) {
        refuse(options.violation('the conversation is not set up in time'))
      } else if (idleTimeoutMs > 0 && elapsedMs - messageMs > idleTimeoutMs) {
        refuse(options.violation('the conversation is idle'))
      } else if (pingedMs !== undefined && elapsedMs - pingedMs > rfcDeadPeerMs) {
        broken('the backend does not answer a ping')
      } else if (pingedMs === undefined && elapsedMs - backendMs > rfcPingMs) {
        pingedMs = elapsedMs
        toBackend(pingFrame)
      }
    },
  }
}
