import { atEndOfTurn } from '../batch.ts'
import type { ByteLink } from './byte-link.ts'
import { framesPerWrite } from '../limits.ts'
import { headerBytes, writeHeader } from './frame.ts'
import { Slab, slabBytes } from './slab.ts'

/** Behind bytes that have not left yet, pieces below this are written out of memory of their own: many of them must not hold a slab each. */
const ownMemoryBytes: number = slabBytes / 4

/**
 * Renders frames onto a link. The frames of one turn of the event loop leave together, unless there are so many that the peer could begin with the first of them
 * while we still work on the last. On a link that had no more than one to carry in its last turn the first one leaves at once: it is probably the only one again.
 *
 * Everything is copied side by side, large bodies as well: TLS would put what comes in pieces together again, with a copy of its own.
 */
export class FrameWriter {
  private readonly link: ByteLink
  private slab: Slab | undefined = undefined
  private isDue = false
  /** Since the last write. */
  private frames = 0
  private framesOfTurn = 0
  /** The last turn had no more than one frame. */
  private isQuiet = true

  constructor(link: ByteLink) {
    this.link = link
  }

  get bufferedBytes(): number {
    const { slab } = this
    return slab === undefined ? this.link.bufferedBytes : this.link.bufferedBytes + slab.used - slab.written
  }

  /** A frame with its body, if any. */
  frame(type: number, streamId: number, body?: Buffer): void {
    this.header(type, streamId, body === undefined ? 0 : body.length)
    if (body !== undefined) this.body(body)
  }

  /** To be called behind each frame of which nothing is missing. */
  endFrame(): void {
    this.framesOfTurn++
    if (this.isQuiet && this.framesOfTurn === 1) this.flush()
  }

  /** A frame whose body is one 32-bit number. */
  frame32(type: number, streamId: number, value: number): void {
    const slab = this.reserve(headerBytes + 4)
    writeHeader(slab.bytes, slab.used, streamId, type, 4)
    slab.bytes.writeUInt32BE(value, slab.used + headerBytes)
    slab.used += headerBytes + 4
  }

  /** A frame whose body is one byte. */
  frame8(type: number, streamId: number, value: number): void {
    const slab = this.reserve(headerBytes + 1)
    writeHeader(slab.bytes, slab.used, streamId, type, 1)
    slab.bytes[slab.used + headerBytes] = value
    slab.used += headerBytes + 1
  }

  /** The header alone; the caller follows it with bodies of `length` bytes in all. */
  header(type: number, streamId: number, length: number): void {
    if (this.frames >= framesPerWrite) this.flush()
    this.frames++
    const slab = this.reserve(headerBytes + length)
    writeHeader(slab.bytes, slab.used, streamId, type, length)
    slab.used += headerBytes
  }

  /** Copies the chunk. */
  body(chunk: Buffer): void {
    const slab = this.slab as Slab
    slab.used += chunk.copy(slab.bytes, slab.used)
  }

  endTurn(): void {
    this.isDue = false
    this.isQuiet = this.framesOfTurn <= 1
    this.framesOfTurn = 0
    this.flush()
    this.slab?.release()
    this.slab = undefined
  }

  /** Room for so many bytes in one piece. */
  private reserve(bytes: number): Slab {
    if (!this.isDue) {
      this.isDue = true
      atEndOfTurn(this)
    }
    if (this.slab !== undefined && slabBytes - this.slab.used < bytes) {
      this.flush()
      this.slab.release()
      this.slab = undefined
    }
    return (this.slab ??= Slab.take())
  }

  private flush(): void {
    const { link, slab } = this
    this.frames = 0
    if (slab === undefined || slab.used === slab.written) return
    if (slab.used - slab.written >= ownMemoryBytes || link.bufferedBytes === 0) link.write(slab.cut(), slab.left)
    else {
      link.write(Buffer.from(slab.bytes.subarray(slab.written, slab.used)))
      slab.written = slab.used
    }
  }
}
