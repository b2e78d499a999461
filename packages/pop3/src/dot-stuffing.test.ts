import { Buffer } from 'node:buffer'
import { array, assert, constantFrom, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createUnstuffer } from './dot-stuffing.ts'

/** What a server makes of a body: RFC 1939 §3, written line by line. */
function stuff(body: Buffer): Buffer {
  const lines = body.toString('latin1').split('\r\n')
  const stuffed = lines.map((line) => (line.startsWith('.') ? `.${line}` : line)).join('\r\n')
  return Buffer.from(`${stuffed}.\r\n`, 'latin1')
}

/** Takes an answer in pieces; what is behind the end of it comes back as it is. */
function unstuff(pieces: readonly Buffer[]): { readonly body: Buffer; readonly rest: Buffer | undefined } {
  const push = createUnstuffer()
  const body: Buffer[] = []
  for (const [index, piece] of pieces.entries()) {
    const part = push(piece)
    body.push(...part.body)
    if (part.rest !== undefined) return { body: Buffer.concat(body), rest: Buffer.concat([part.rest, ...pieces.slice(index + 1)]) }
  }
  return { body: Buffer.concat(body), rest: undefined }
}

function cut(bytes: Buffer, ...places: readonly number[]): Buffer[] {
  const all = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return all.slice(1).map((end, index) => bytes.subarray(all[index], end))
}

const tricky = Buffer.from('first\r\n.\r\n..\r\n...\r\n.\r.\r\n\r\n.\n.\r\r\n\n\r\n.last\r\n')

describe('the body of a multi-line answer', () => {
  it('PR-050 is told from its terminator wherever the bytes are cut, in two and in three pieces', () => {
    const wire = Buffer.concat([stuff(tricky), Buffer.from('+OK next\r\n')])
    for (let first = 0; first <= wire.length; first += 1) {
      expect(unstuff(cut(wire, first)), `cut at ${first}`).toEqual({ body: tricky, rest: Buffer.from('+OK next\r\n') })
      for (let second = first; second <= wire.length; second += 1) {
        const { body, rest } = unstuff(cut(wire, first, second))
        expect([body.equals(tricky), String(rest)], `cut at ${first} and ${second}`).toEqual([true, '+OK next\r\n'])
      }
    }
    expect(unstuff(Array.from(wire, (byte) => Buffer.of(byte)))).toEqual({ body: tricky, rest: Buffer.from('+OK next\r\n') })
  })

  it('PR-051 loses one dot from lines that begin with one, and nothing else', () => {
    expect(unstuff([Buffer.from('a.b\r\n..\r\n..a\r\n....\r\nc.\r\n.\r\n')]).body.toString()).toBe('a.b\r\n.\r\n.a\r\n...\r\nc.\r\n')
    // Servers that do not stuff: what cannot be the end keeps its meaning.
    expect(unstuff([Buffer.from('.a\r\n.\r\n')]).body.toString()).toBe('a\r\n')
  })

  it('is empty, or goes on', () => {
    expect(unstuff([Buffer.from('.\r\n')])).toEqual({ body: Buffer.alloc(0), rest: Buffer.alloc(0) })
    for (const open of ['', '.', '.\r', 'a', 'a\r\n', 'a\r\n.', 'a\r\n.\r', 'a\n.\n', 'a\r.\r\n', '\n.\r\n'])
      expect(unstuff([Buffer.from(open)]).rest, JSON.stringify(open)).toBeUndefined()
  })

  it('PR-051 is what the server began with, for any bytes cut in any places', () => {
    const byte = constantFrom(13, 10, 46, 97, 0, 255)
    const line = array(byte, { maxLength: 6 }).map((bytes) => Buffer.concat([Buffer.from(bytes), Buffer.from('\r\n')]))
    assert(
      property(array(line, { maxLength: 8 }), array(nat(), { maxLength: 8 }), (lines, places) => {
        const body = Buffer.concat(lines)
        expect(unstuff(cut(stuff(body), ...places))).toEqual({ body, rest: Buffer.alloc(0) })
      }),
      { numRuns: 3000 },
    )
  })
})
