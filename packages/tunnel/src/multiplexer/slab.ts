import { headerBytes } from './frame.ts'
import { maxDataBytes } from '../limits.ts'

/** Four of the largest frames: one write of a link, and still in the cache of a core when it is encrypted. */
export const slabBytes: number = 4 * (headerBytes + maxDataBytes)

/** Slabs that nobody uses and that are kept all the same; more are left to the garbage collector. */
const maxFree = 16

const free: Slab[] = []

/**
 * Memory in which frames are laid side by side before they are written. A slab is used again as soon as everything written out of it has left, so that
 * transfers make no garbage and work in few places of the memory. The free ones belong to the process: a lane that has nothing to write holds none.
 */
export class Slab {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(slabBytes)
  /** Where the next frame goes. */
  used = 0
  /** Up to where it has been written. */
  written = 0
  private underWay = 0
  private isReleased = false

  /** A slab with nothing in it. */
  static take(): Slab {
    const slab = free.pop() ?? new Slab()
    slab.used = 0
    slab.written = 0
    slab.isReleased = false
    return slab
  }

  /** What has been laid down since the last time. The caller writes it and calls `left` when it has left. */
  cut(): Buffer {
    const piece = this.bytes.subarray(this.written, this.used)
    this.written = this.used
    this.underWay++
    return piece
  }

  /** A piece has left, or never will. */
  readonly left = (): void => {
    this.underWay--
    this.recycle()
  }

  /** Nothing more is going to be laid down. */
  release(): void {
    this.isReleased = true
    this.recycle()
  }

  private recycle(): void {
    if (this.isReleased && this.underWay === 0 && free.length < maxFree) free.push(this)
  }
}
