import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDerReader, readInteger } from './der-reader.ts'
import { bitString, encode, integer, namedBits, octetString, sequence, tags } from './der-writer.ts'
import { encodeTime } from './validity-time.ts'

const hex = (bytes: Buffer): string => bytes.toString('hex')
const read = (text: string): ReturnType<typeof createDerReader> => createDerReader(Buffer.from(text.replaceAll(' ', ''), 'hex'), 'it')

describe('writer', () => {
  it.each([
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65_535, '0482ffff'],
    [65_536, '0483010000'],
  ])('writes a length of %i in shortest form', (length, head) => {
    const element = octetString(Buffer.alloc(length))
    expect(hex(element.subarray(0, head.length / 2))).toBe(head)
    expect(element.length).toBe(head.length / 2 + length)
  })

  it.each([
    ['', '020100'],
    ['00', '020100'],
    ['0000', '020100'],
    ['7f', '02017f'],
    ['80', '02020080'],
    ['0080', '02020080'],
    ['00007f', '02017f'],
    ['ff00', '020300ff00'],
  ])('writes the unsigned octets "%s" as a minimal non-negative integer', (octets, expected) => {
    expect(hex(integer(Buffer.from(octets, 'hex')))).toBe(expected)
  })

  it.each([
    [[], '030100'],
    [[0], '03020780'],
    [[0, 2], '030205a0'],
    [[5], '03020204'],
    [[5, 6], '03020106'],
    [[8], '0303070080'],
  ])('writes the named bits %j without trailing zeros', (bits, expected) => {
    expect(hex(namedBits(bits))).toBe(expected)
  })

  it.each([
    ['1950-01-01T00:00:00Z', '170d3530303130313030303030305a'],
    ['2049-12-31T23:59:59.999Z', '170d3439313233313233353935395a'],
    ['2050-01-01T00:00:00Z', '180f32303530303130313030303030305a'],
    ['9999-12-31T23:59:59Z', '180f39393939313233313233353935395a'],
  ])('writes the time %s', (time, expected) => {
    expect(hex(encodeTime(new Date(time)))).toBe(expected)
  })

  it.each(['1949-12-31T23:59:59Z', '+010000-01-01T00:00:00Z', 'never'])('refuses the time %s', (time) => {
    expect(() => encodeTime(new Date(time))).toThrow(/years 1950 to 9999/)
  })
})

describe('reader', () => {
  it.each([
    ['', 'ends too early'],
    ['30', 'ends too early'],
    ['30 01', 'ends too early'],
    ['30 81', 'ends too early'],
    ['30 80 00 00', 'indefinite length'],
    ['30 81 7f', 'not in shortest form'],
    ['30 82 00 80', 'not in shortest form'],
    ['30 85 01 00 00 00 00', 'too large'],
    ['30 84 ff ff ff ff', 'ends too early'],
    ['1f 81 01 00', 'more than one octet'],
    ['3f 01 00', 'more than one octet'],
  ])('refuses "%s": %s', (bytes, problem) => {
    expect(() => read(bytes).next()).toThrow(problem)
  })

  it('refuses another element than the expected one, and left-over bytes', () => {
    expect(() => read('0500').read(tags.sequence)).toThrow('has element 0x5 where 0x30 belongs')
    expect(() => read('0500').end()).toThrow('do not belong to it')
  })

  it.each(['0200', '02020001', '0202ff80'])('refuses the integer %s', (bytes) => {
    expect(() => readInteger(read(bytes), 'it')).toThrow(/integer/)
  })

  it('reads what the writer writes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (contents) => {
        const list = createDerReader(sequence(...contents.map((content) => encode(tags.octetString, content))), 'it').enter(tags.sequence)
        for (const content of contents) expect(list.read(tags.octetString).content).toEqual(Buffer.from(content))
        list.end()
      }),
    )
  })

  it('reads arbitrary bytes as elements inside them, or refuses', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const reader = createDerReader(Buffer.from(bytes), 'it')
        let total = 0
        let refusal: unknown = { code: 'MESSAGE_INVALID' }
        try {
          while (!reader.atEnd) total += reader.next().encoded.length
        } catch (error) {
          refusal = error
        }
        expect(refusal).toMatchObject({ code: 'MESSAGE_INVALID' })
        expect(total).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })

  it('puts a zero in front of the octets of a bit string', () => {
    expect(hex(bitString(Buffer.from([1])))).toBe('03020001')
  })
})
