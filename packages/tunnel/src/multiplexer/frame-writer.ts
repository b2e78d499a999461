import { atEndOfTurn } from '../batch.ts'
import type { ByteLink } from './byte-link.ts'
import { framesPerWrite } from '../limits.ts'
import { headerBytes, writeHeader } from './frame.ts'

/** Headers and small bodies are copied side by side into slabs of this size: a copy of 1 kB is cheaper than a write of its own. */
const slabBytes = 32_768
const copiedBodyBytes = 4_096

const noSlab = Buffer.alloc(0)

/**
 * Renders frames onto a link. The frames of one turn of the event loop leave together, unless there are so many that the peer could begin with the first of them
 * while we still work on the last. On a link that had no more than one to carry in its last turn the first one leaves at once: it is probably the only one again.
 */
export class FrameWriter {
  private readonly link: ByteLink
  private slab: Buffer = noSlab
  private start = 0
  private used = 0
  private corked = false
  /** Since the last write. */
  private frames = 0
  private framesOfTurn = 0
  /** The last turn had no more than one frame. */
  private isQuiet = true

  constructor(link: ByteLink) {
    this.link = link
  }

  get bufferedBytes(): number {
    return this.link.bufferedBytes + this.used - this.start
  }

  /** A frame with its body, if any. */
  frame(type: number, streamId: number, body?: Buffer): void {
    this.header(type, streamId, body === undefined ? 0 : body.length)
    if (body !== undefined) this.body(body)
  }

  /** To be called behind each frame of which nothing is missing. */
  endFrame(): void {
    this.framesOfTurn++
    if (this.isQuiet && this.framesOfTurn === 1) this.handOn()
  }

  /** A frame whose body is one 32-bit number. */
  frame32(type: number, streamId: number, value: number): void {
    const at = this.reserve(headerBytes + 4)
    writeHeader(this.slab, at, streamId, type, 4)
    this.slab.writeUInt32BE(value, at + headerBytes)
  }

  /** A frame whose body is one byte. */
  frame8(type: number, streamId: number, value: number): void {
    const at = this.reserve(headerBytes + 1)
    writeHeader(this.slab, at, streamId, type, 1)
    this.slab[at + headerBytes] = value
  }

  /** The header alone; the caller follows it with bodies of `length` bytes in all. */
  header(type: number, streamId: number, length: number): void {
    if (this.corked && ++this.frames >= framesPerWrite) this.handOn()
    const at = this.reserve(headerBytes)
    writeHeader(this.slab, at, streamId, type, length)
  }

  body(chunk: Buffer): void {
    if (chunk.length <= copiedBodyBytes) {
      const at = this.reserve(chunk.length)
      chunk.copy(this.slab, at)
    } else {
      this.cork()
      this.flushSlab()
      this.link.write(chunk)
    }
  }

  endTurn(): void {
    this.corked = false
    this.frames = 0
    this.isQuiet = this.framesOfTurn <= 1
    this.framesOfTurn = 0
    this.flushSlab()
    this.link.uncork()
  }

  private handOn(): void {
    this.frames = 0
    this.flushSlab()
    this.link.uncork()
    this.link.cork()
  }

  private reserve(bytes: number): number {
    this.cork()
    if (this.slab.length - this.used < bytes) {
      this.flushSlab()
      // A slab that has been written belongs to the link until it is sent, so a new one is taken rather than this one used again.
      this.slab = Buffer.allocUnsafeSlow(slabBytes)
      this.start = 0
      this.used = 0
    }
    const at = this.used
    this.used += bytes
    return at
  }

  private flushSlab(): void {
    if (this.used === this.start) return
    const filled = this.slab.subarray(this.start, this.used)
    this.start = this.used
    this.link.write(filled)
  }

  private cork(): void {
    if (this.corked) return
    this.corked = true
    this.link.cork()
    atEndOfTurn(this)
  }
}
