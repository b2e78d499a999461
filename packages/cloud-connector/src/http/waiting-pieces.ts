import { waitingBlockBytes } from '../limits.ts'

/**
 * What a stream has brought and nobody has looked at yet: bytes, and messages in their place between them.
 *
 * The stream's credit bounds the bytes; gathering small chunks into blocks bounds what they cost beside.
 */
export class WaitingPieces<Message extends object> {
  private pieces: (Buffer | Message)[] = []
  /** The last piece, when it is a block with room. */
  private block: Buffer | undefined = undefined
  private filled = 0

  get isEmpty(): boolean {
    return this.pieces.length === 0
  }

  push(piece: Buffer | Message): void {
    if (!Buffer.isBuffer(piece) || piece.length >= waitingBlockBytes / 4 || this.pieces.length === 0) {
      this.sealBlock()
      this.pieces.push(piece)
      return
    }
    if (this.block === undefined || this.filled + piece.length > this.block.length) {
      this.sealBlock()
      this.block = Buffer.allocUnsafe(waitingBlockBytes)
      this.filled = 0
      this.pieces.push(this.block)
    }
    this.filled += piece.copy(this.block, this.filled)
  }

  /** Puts bytes that were taken too early back to the front. */
  unshift(chunk: Buffer): void {
    this.pieces.unshift(chunk)
  }

  shift(): Buffer | Message | undefined {
    if (this.pieces.length === 1) this.sealBlock()
    return this.pieces.shift()
  }

  clear(): void {
    this.pieces = []
    this.block = undefined
  }

  private sealBlock(): void {
    if (this.block !== undefined) this.pieces[this.pieces.length - 1] = this.block.subarray(0, this.filled)
    this.block = undefined
  }
}
