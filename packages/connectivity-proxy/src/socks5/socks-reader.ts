import { ByteCollector } from '../byte-collector.ts'
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

/** Reads the messages of a SOCKS5 handshake one after the other, whatever pieces they arrive in; first the greeting. No I/O, no timers. */
export class SocksReader {
  /** The message that the last `read` completed. */
  message: SocksMessage | undefined
  private readonly maxTokenBytes: number
  private readonly collected = new ByteCollector()
  private awaited: 'greeting' | 'token' | 'request' = 'greeting'

  constructor(limits: { readonly maxTokenBytes: number }) {
    this.maxTokenBytes = limits.maxTokenBytes
  }

  /** Memory held for an unfinished message. */
  get heldBytes(): number {
    return this.collected.capacity
  }

  /** Turns to the next message. */
  await(kind: 'token' | 'request'): void {
    this.awaited = kind
    this.message = undefined
  }

  /**
   * Takes bytes of `chunk` from `from` on and returns the offset behind the last one taken: never beyond the end of the awaited message. Afterwards
   * {@link message} is set if that message is complete.
   */
  read(chunk: Buffer, from: number): number {
    const { collected } = this
    let at = from
    while (this.message === undefined) {
      // A message that lies in one piece is read where it is; only what arrives in pieces is copied.
      const isWhole = collected.length === 0
      const step = this.look(isWhole ? chunk.subarray(at) : collected.bytes)
      if ('message' in step) {
        this.message = step.message
        if (isWhole) at += step.bytes
        collected.clear()
        break
      }
      if (at === chunk.length) break
      const to = isWhole ? chunk.length : Math.min(chunk.length, at + step.needs - collected.length)
      collected.add(chunk, at, to)
      at = to
      if (isWhole) break
    }
    return at
  }

  private look(bytes: Buffer): SocksStep {
    if (this.awaited === 'greeting') return readGreeting(bytes)
    return this.awaited === 'token' ? readTokenMessage(bytes, this.maxTokenBytes) : readRequest(bytes)
  }
}
