import { waitingBlockBytes } from '../limits.ts'

/** What a stream has brought and nobody has looked at yet: bytes, and messages in their place between them. */
export interface WaitingPieces<Message extends object> {
  readonly empty: boolean
  push(piece: Buffer | Message): void
  /** Puts bytes that were taken too early back to the front. */
  unshift(chunk: Buffer): void
  shift(): Buffer | Message | undefined
  clear(): void
}

/** The stream's credit bounds the bytes; gathering small chunks into blocks bounds what they cost beside. */
export function createWaitingPieces<Message extends object>(): WaitingPieces<Message> {
  let pieces: (Buffer | Message)[] = []
  /** The last piece, when it is a block with room. */
  let block: Buffer | undefined
  let filled = 0

  const sealBlock = (): void => {
    if (block !== undefined) pieces[pieces.length - 1] = block.subarray(0, filled)
    block = undefined
  }
  return {
    get empty() {
      return pieces.length === 0
    },
    push(piece) {
      if (!Buffer.isBuffer(piece) || piece.length >= waitingBlockBytes / 4 || pieces.length === 0) {
        sealBlock()
        pieces.push(piece)
        return
      }
      if (block === undefined || filled + piece.length > block.length) {
        sealBlock()
        block = Buffer.allocUnsafe(waitingBlockBytes)
        filled = 0
        pieces.push(block)
      }
      filled += piece.copy(block, filled)
    },
    unshift(chunk) {
      pieces.unshift(chunk)
    },
    shift() {
      if (pieces.length === 1) sealBlock()
      return pieces.shift()
    },
    clear() {
      pieces = []
      block = undefined
    },
  }
}
