import { smallFrameBytes } from '../limits.ts'
import { DATA, explainHeader, headerBytes } from './frame.ts'

/** What a {@link FrameReader} finds. Bodies are views of what was pushed: valid as long as nobody changes that. */
export interface FrameSink {
  onFrame(type: number, streamId: number, body: Buffer): void
  /** A DATA frame begins; its bytes follow through `onDataBytes` as they arrive, never gathered first. */
  onDataHeader(streamId: number, length: number): void
  onDataBytes(chunk: Buffer): void
  /** The bytes are not our protocol; nothing is reported afterwards. */
  onViolation(message: string): void
}

const nothing = Buffer.alloc(0)

/**
 * Cuts a byte stream into frames, whatever the chunks it arrives in. Holds at most one header and one control frame
 * (16 KiB), and that only after the header was found admissible.
 */
export class FrameReader {
  /** Frames that have begun so far and are small, so that most of what they cost is not their bytes. */
  smallFrames = 0
  private readonly sink: FrameSink
  private dataLeft = 0
  private readonly header: Buffer = Buffer.allocUnsafeSlow(headerBytes)
  private headerUsed = 0
  private body: Buffer | undefined
  private bodyUsed = 0
  private stopped = false

  constructor(sink: FrameSink) {
    this.sink = sink
  }

  /** Ignores everything from now on, also the rest of the chunk that is being read. */
  stop(): void {
    this.stopped = true
    this.body = undefined
  }

  push(chunk: Buffer): void {
    const end = chunk.length
    let at = 0
    while (at < end && !this.stopped) {
      if (this.dataLeft > 0) {
        const taken = Math.min(this.dataLeft, end - at)
        this.dataLeft -= taken
        this.sink.onDataBytes(taken === end ? chunk : chunk.subarray(at, at + taken))
        at += taken
      } else if (this.body !== undefined) {
        const taken = chunk.copy(this.body, this.bodyUsed, at, Math.min(end, at + this.body.length - this.bodyUsed))
        this.bodyUsed += taken
        at += taken
        if (this.bodyUsed === this.body.length) this.finishBody(this.body)
      } else if (this.headerUsed > 0 || end - at < headerBytes) {
        const taken = chunk.copy(this.header, this.headerUsed, at, Math.min(end, at + headerBytes - this.headerUsed))
        this.headerUsed += taken
        at += taken
        if (this.headerUsed === headerBytes) {
          this.headerUsed = 0
          at = this.begin(this.header, 0, chunk, at)
        }
      } else {
        at = this.begin(chunk, at, chunk, at + headerBytes)
      }
    }
  }

  /** Reads the header at `header[h]`; its body starts at `chunk[at]`. Returns where reading goes on. */
  private begin(header: Buffer, h: number, chunk: Buffer, at: number): number {
    const streamId = header.readUInt32BE(h)
    const type = header[h + 4] ?? 0
    const length = header.readUIntBE(h + 5, 3)
    if (length < smallFrameBytes) this.smallFrames++
    const problem = explainHeader(streamId, type, length)
    if (problem !== undefined) {
      this.stop()
      this.sink.onViolation(problem)
      return at
    }
    if (type === DATA) {
      this.dataLeft = length
      this.sink.onDataHeader(streamId, length)
      return at
    }
    if (length === 0) {
      this.sink.onFrame(type, streamId, nothing)
      return at
    }
    if (chunk.length - at >= length) {
      this.sink.onFrame(type, streamId, chunk.subarray(at, at + length))
      return at + length
    }
    // The header is kept beside the body, because the chunk it stands in is not ours to hold.
    if (header !== this.header) header.copy(this.header, 0, h, h + headerBytes)
    this.body = Buffer.allocUnsafe(length)
    this.bodyUsed = 0
    return at
  }

  private finishBody(body: Buffer): void {
    this.body = undefined
    this.sink.onFrame(this.header[4] ?? 0, this.header.readUInt32BE(0), body)
  }
}
