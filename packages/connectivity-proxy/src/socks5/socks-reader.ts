import { createByteCollector } from '../byte-collector.ts'
import { readGreeting } from './greeting.ts'
import { readRequest } from './request.ts'
import { readTokenMessage } from './token-message.ts'

/** What a client of the SOCKS5 listener says, one variant per message. */
export type SocksMessage =
  | { readonly kind: 'greeting'; readonly methods: readonly number[] }
  /** Token and location; `''` for either when its length is 0. */
  | { readonly kind: 'token'; readonly token: string; readonly locationId: string }
  | { readonly kind: 'request'; readonly command: number; readonly host: string; readonly port: number }
  /** IPv6 or an address type that nobody defined. */
  | { readonly kind: 'unsupported-address'; readonly command: number }
  | { readonly kind: 'malformed'; readonly while: 'greeting' | 'token' | 'request'; readonly reason: string }

/** Result of looking at the bytes gathered so far: so many bytes in total are needed to see further, or the message with its length. */
export type SocksStep = { readonly needs: number } | { readonly message: SocksMessage; readonly bytes: number }

/** Reads the messages of a SOCKS5 handshake one after the other, whatever pieces they arrive in. No I/O, no timers. */
export interface SocksReader {
  /**
   * Takes bytes of `chunk` from `from` on and returns the offset behind the last one taken: never beyond the end of the awaited message.
   * Afterwards {@link message} is set if that message is complete.
   */
  read(chunk: Buffer, from: number): number
  /** The message that the last `read` completed. */
  readonly message: SocksMessage | undefined
  /** Turns to the next message. */
  await(kind: 'token' | 'request'): void
  /** Memory held for an unfinished message. */
  readonly heldBytes: number
}

/** A reader that awaits the greeting. */
export function createSocksReader(limits: { readonly maxTokenBytes: number }): SocksReader {
  const collected = createByteCollector()
  let step: (bytes: Buffer) => SocksStep = readGreeting
  let message: SocksMessage | undefined
  const steps = { token: (bytes: Buffer) => readTokenMessage(bytes, limits.maxTokenBytes), request: readRequest }
  return {
    get message() {
      return message
    },
    get heldBytes() {
      return collected.capacity
    },
    await(kind) {
      step = steps[kind]
      message = undefined
    },
    read(chunk, from) {
      let at = from
      while (message === undefined) {
        // A message that lies in one piece is read where it is; only what arrives in pieces is copied.
        const whole = collected.length === 0
        const result = step(whole ? chunk.subarray(at) : collected.bytes)
        if ('message' in result) {
          message = result.message
          if (whole) at += result.bytes
          collected.clear()
          break
        }
        if (at === chunk.length) break
        const to = whole ? chunk.length : Math.min(chunk.length, at + result.needs - collected.length)
        collected.add(chunk, at, to)
        at = to
        if (whole) break
      }
      return at
    },
  }
}
