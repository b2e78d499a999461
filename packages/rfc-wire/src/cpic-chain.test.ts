import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CpicField, cpicTags, createChainCursor, formatChain, isRefused, logonSignature, parseChain } from './index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')

const valid = bytes('0502 0000 0502 000b 0003 373534 000b ffff 0000 ffff')

describe('chains', () => {
  it('repeat each tag behind its value and end with a repeated end', () => {
    const fields = [
      { tag: cpicTags.call, value: Buffer.alloc(0) },
      { tag: cpicTags.callerRelease, value: Buffer.from('754') },
    ]
    expect(formatChain(fields, { logon: false })).toEqual(valid)
    expect(parseChain(Buffer.concat([valid, bytes('00000017')]))).toEqual({ logon: false, fields, bytes: valid.length })
  })

  it('of a logon have the signature in front', () => {
    const chain = formatChain([{ tag: cpicTags.start, value: bytes('0301010101010000') }], { logon: true })
    expect(chain).toEqual(bytes('d9c6c3f0f0f0f0f0f0f0f0f0 0101 0008 0301010101010000 0101 ffff 0000 ffff'))
    expect(parseChain(chain)).toMatchObject({ logon: true, bytes: chain.length })
    expect(logonSignature).toHaveLength(12)
  })

  it('state lengths from 65535 up in four bytes more', () => {
    for (const [length, hex] of [
      [0xfffe, 'fffe'],
      [0xffff, 'ffff0000ffff'],
      [0x10000, 'ffff00010000'],
    ] as const) {
      const value = Buffer.alloc(length, 7)
      const chain = formatChain([{ tag: cpicTags.reply, value }], { logon: false })
      expect(chain.toString('hex', 2, 2 + hex.length / 2)).toBe(hex)
      expect(parseChain(chain)).toEqual({ logon: false, fields: [{ tag: cpicTags.reply, value }], bytes: chain.length })
    }
  })

  it.each([
    ['prevtag mismatch', '0502 0000 0501 000b 0000 000b ffff 0000 ffff'],
    ['prevtag mismatch at the end', '0502 0000 0512 ffff 0000 ffff'],
    ['overlong length', '0502 0000 0502 000b 0004 373534'],
    ['overlong extended length', '0502 0000 0502 000b ffff ffffffff 37'],
    ['missing end', '0502 0000 0502 000b 0003 373534 000b'],
    ['half an end', '0502 0000 0502 ffff 0000 ff'],
    ['end with a length', '0502 0000 0502 ffff 0002 ffff'],
    ['end that is not repeated', '0502 0000 0502 ffff 0000 0502'],
    ['no field', 'ffff 0000 ffff'],
    ['another first field', '000b 0000 000b ffff 0000 ffff'],
    ['nothing', ''],
    ['one byte', '05'],
  ])('with %s are refused', (_what, hex) => {
    expect(isRefused(parseChain(bytes(hex)))).toBe(true)
  })

  it('PR-090 with a wrong prevtag, an overlong length or no end are protocol errors at every place, never hangs', () => {
    const whole = parseChain(valid)
    expect(isRefused(whole)).toBe(false)
    for (let length = 0; length < valid.length; length += 1) expect(isRefused(parseChain(valid.subarray(0, length)))).toBe(true)
    // Tags repeated at 4 and 13, lengths at 2 and 8, end at 15.
    for (const at of [4, 13]) expect(parseChain(changed(valid, at, '7f7f'))).toMatchObject({ refused: /is closed by 7f7f$/ })
    for (const at of [2, 8])
      for (const length of ['0100', 'ffff', 'fffe']) expect(isRefused(parseChain(changed(valid, at, length)))).toBe(true)
    for (const at of [15, 17, 19]) expect(isRefused(parseChain(changed(valid, at, '0001')))).toBe(true)
  })

  it('are read field by field as far as they have arrived', () => {
    const cursor = createChainCursor(valid.subarray(0, 14))
    expect(cursor.next()).toMatchObject({ tag: cpicTags.call })
    expect(cursor.next()).toMatchObject({ tag: cpicTags.callerRelease })
    expect([cursor.next(), cursor.next()]).toEqual(['truncated', 'truncated'])
    expect(cursor.at).toBe(13)
  })

  const field: fc.Arbitrary<CpicField> = fc.record({
    tag: fc.oneof(
      fc.constantFrom(...Object.values(cpicTags)).filter((tag) => tag !== cpicTags.end),
      fc.integer({ min: 0, max: 0xfffe }),
    ),
    value: fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
  })
  const fields = fc
    .tuple(fc.constantFrom(cpicTags.start, cpicTags.call, cpicTags.reply), fc.array(field, { maxLength: 12 }))
    .map(([tag, rest]) => [{ tag, value: Buffer.alloc(0) }, ...rest])

  it('are read as they were rendered', () => {
    fc.assert(
      fc.property(fields, fc.boolean(), fc.uint8Array({ maxLength: 8 }), (list, logon, behind) => {
        const chain = formatChain(list, { logon })
        expect(parseChain(Buffer.concat([chain, behind]))).toEqual({ logon, fields: list, bytes: chain.length })
      }),
      { numRuns: 3000 },
    )
  })

  it('that are accepted after a change are rendered to the same bytes', () => {
    let accepted = 0
    fc.assert(
      fc.property(fields, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }), (list, place, change) => {
        const chain = formatChain(list, { logon: false })
        const at = place % chain.length
        Buffer.from(change).copy(chain, at)
        const read = parseChain(chain)
        if (isRefused(read)) return
        accepted += 1
        const rendered = formatChain(read.fields, { logon: read.logon })
        // A short length in its long form is legal; it alone changes in rendering.
        const original = rendered.length === read.bytes ? chain.subarray(0, read.bytes) : rendered
        expect(rendered).toEqual(original)
      }),
      { numRuns: 5000 },
    )
    expect(accepted).toBeGreaterThan(500)
  })

  it('never begin with another field nor hold the end as a field', () => {
    expect(() => formatChain([], { logon: false })).toThrow(TypeError)
    expect(() => formatChain([{ tag: cpicTags.user, value: Buffer.alloc(0) }], { logon: false })).toThrow(TypeError)
    expect(() =>
      formatChain(
        [
          { tag: cpicTags.call, value: Buffer.alloc(0) },
          { tag: 0xffff, value: Buffer.alloc(0) },
        ],
        { logon: false },
      ),
    ).toThrow(TypeError)
  })
})

function changed(chain: Buffer, at: number, hex: string): Buffer {
  const copy = Buffer.from(chain)
  copy.write(hex, at, 'hex')
  return copy
}
