import { describe, expect, it } from 'vitest'
import { framesPerWrite } from '../limits.ts'
import type { ByteLink } from './byte-link.ts'
import { DATA } from './frame.ts'
import { FrameWriter } from './frame-writer.ts'

/** A link that notes what it hands on together. */
function recordingLink(): { readonly link: ByteLink; readonly handedOn: Buffer[] } {
  const handedOn: Buffer[] = []
  return {
    handedOn,
    link: {
      bufferedBytes: 0,
      write(chunk, left) {
        handedOn.push(Buffer.from(chunk))
        left?.()
      },
      end() {},
      destroy() {},
      start() {},
    },
  }
}

const frameBytes = 8 + 3

describe('FrameWriter', () => {
  it('gathers the frames of a turn in one write', () => {
    const { link, handedOn } = recordingLink()
    const writer = new FrameWriter(link)
    for (let at = 0; at < framesPerWrite; at += 1) writer.frame(DATA, 1, Buffer.from('abc'))
    expect(handedOn).toHaveLength(0)
    writer.endTurn()
    expect(handedOn.map((bytes) => bytes.length)).toEqual([framesPerWrite * frameBytes])
  })

  it('hands the first frames of a long turn on before the turn is over', () => {
    const { link, handedOn } = recordingLink()
    const writer = new FrameWriter(link)
    for (let at = 0; at < 2 * framesPerWrite + 1; at += 1) writer.frame(DATA, 1, Buffer.from('abc'))
    expect(handedOn.map((bytes) => bytes.length)).toEqual([framesPerWrite * frameBytes, framesPerWrite * frameBytes])
    writer.endTurn()
    expect(handedOn.at(-1)).toHaveLength(frameBytes)
  })

  it('hands the first frame of a turn on at once as long as turns have only one', () => {
    const { link, handedOn } = recordingLink()
    const writer = new FrameWriter(link)
    const send = (): void => {
      writer.frame(DATA, 1, Buffer.from('abc'))
      writer.endFrame()
    }
    send()
    expect(handedOn).toHaveLength(1)
    writer.endTurn()
    send()
    expect(handedOn).toHaveLength(2)
    send()
    writer.endTurn()
    expect(handedOn).toHaveLength(3)
    // Two frames in the last turn: there may be more of them again.
    send()
    expect(handedOn).toHaveLength(3)
    writer.endTurn()
    send()
    expect(handedOn).toHaveLength(5)
  })

  it('uses memory again only when what it wrote has left, and holds little of it behind a link that is stuck', () => {
    const left: (() => void)[] = []
    const pieces: Buffer[] = []
    let bufferedBytes = 0
    const link: ByteLink = {
      get bufferedBytes() {
        return bufferedBytes
      },
      write(chunk, done) {
        bufferedBytes += chunk.length
        pieces.push(chunk)
        if (done !== undefined) left.push(done)
      },
      end() {},
      destroy() {},
      start() {},
    }
    const writer = new FrameWriter(link)
    const turn = (text: string): void => {
      writer.frame(DATA, 1, Buffer.from(text))
      writer.endTurn()
    }
    turn('first')
    for (let at = 0; at < 100; at++) turn(`small ${at}`)
    // The first waits in the memory it was laid down in, the others in memory of their own, so that they do not hold a slab each.
    expect(left).toHaveLength(1)
    expect(pieces.map((piece) => piece.subarray(8).toString())).toEqual(['first', ...Array.from({ length: 100 }, (_, at) => `small ${at}`)])
    left[0]?.()
    bufferedBytes = 0
    turn('again')
    expect(pieces.at(-1)?.buffer).toBe(pieces[0]?.buffer)
  })

  it('never tears a frame apart: header and body are handed on together', () => {
    const { link, handedOn } = recordingLink()
    const writer = new FrameWriter(link)
    const large = Buffer.alloc(10_000, 7)
    for (let at = 0; at < 3 * framesPerWrite; at += 1) writer.frame(DATA, 1, large)
    writer.endTurn()
    expect(handedOn.every((bytes) => bytes.length % (8 + large.length) === 0)).toBe(true)
    expect(Buffer.concat(handedOn)).toHaveLength(3 * framesPerWrite * (8 + large.length))
  })
})
