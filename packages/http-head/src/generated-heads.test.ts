import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mutatedRequest, validRequest } from '../conformance/generated-requests.ts'
import {
  type BodyFraming,
  createBodyScanner,
  defaultHeadLimits,
  formatRequestHead,
  formatResponseHead,
  type HeadLimits,
  parseRequestHead,
  parseRequestTarget,
  parseResponseHead,
} from './index.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const smallLimits: HeadLimits = { maxLineBytes: 40, maxHeaderCount: 4, maxHeadBytes: 120 }
const anyLimits = fc.constantFrom(defaultHeadLimits, smallLimits)

describe('generated heads', () => {
  it('are read the same wherever the bytes are split, and refused at one byte and every later one', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          mutatedRequest,
          validRequest.map(({ head }) => head),
        ),
        anyLimits,
        (text, limits) => {
          for (const parse of [
            (bytes: Buffer) => parseRequestHead(bytes, 0, limits),
            (bytes: Buffer) => parseResponseHead(bytes, 0, 'GET', limits),
          ]) {
            const whole = bytesOf(text)
            const results = Array.from({ length: whole.length + 1 }, (_, length) => parse(whole.subarray(0, length)))
            const decided = results.findIndex((result) => result.state !== 'incomplete')
            const after = decided < 0 ? [] : results.slice(decided)
            expect(after).toEqual(after.map(() => results[decided]))
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  it('are read at any offset as at the beginning', () => {
    fc.assert(
      fc.property(mutatedRequest, fc.string({ unit: 'binary-ascii', maxLength: 20 }), (text, before) => {
        expect(parseRequestHead(bytesOf(before + text), before.length, defaultHeadLimits)).toEqual(
          parseRequestHead(bytesOf(text), 0, defaultHeadLimits),
        )
      }),
      { numRuns: 1000 },
    )
  })

  it('have lower-case names, however they are spelled', () => {
    const known =
      'Host Content-Length TE ETag X-CSRF-Token SAP-Connectivity-SCC-Location_ID X_Y AB-CDE !#^_`|~ WWW-Authenticate 0-free'.split(' ')
    const names = fc.array(fc.mixedCase(fc.constantFrom(...known)), { minLength: 1 })
    fc.assert(
      fc.property(names, (spelled) => {
        const result = parseResponseHead(
          formatResponseHead(
            1,
            304,
            '',
            spelled.map((name) => `${name}: 0`),
          ),
          0,
          'HEAD',
          defaultHeadLimits,
        )
        const read = result.state === 'complete' ? result.head.names : result
        const lengths = spelled.filter((name) => name.toLowerCase() === 'content-length').length
        expect(lengths > 1 ? 'refused' : read).toEqual(lengths > 1 ? result.state : spelled.map((name) => name.toLowerCase()))
      }),
      { numRuns: 500 },
    )
  })

  it('never grow, exceed the limits or throw, whatever their bytes', () => {
    const binary = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
    fc.assert(
      fc.property(fc.oneof(binary, mutatedRequest), anyLimits, (text, limits) => {
        const result = parseRequestHead(bytesOf(text), 0, limits)
        parseResponseHead(bytesOf(text), 0, 'HEAD', limits)
        parseRequestTarget(text)
        if (result.state !== 'complete') return
        const { head } = result
        expect(head.bytes).toBeLessThanOrEqual(Math.min(text.length, limits.maxHeadBytes))
        expect(head.lines.length).toBeLessThanOrEqual(limits.maxHeaderCount)
        for (const line of head.lines) expect(line.length).toBeLessThanOrEqual(limits.maxLineBytes)
        expect(head.names.length).toBe(head.lines.length)
        expect(head.values.length).toBe(head.lines.length)
      }),
      { numRuns: 3000 },
    )
  })

  it('are rendered as they were read', () => {
    fc.assert(
      fc.property(validRequest, ({ head: text }) => {
        const result = parseRequestHead(bytesOf(text), 0, defaultHeadLimits)
        if (result.state !== 'complete') throw new Error(`not complete: ${JSON.stringify(result)}`)
        const { head } = result
        const rendered = formatRequestHead(head.method, head.target, head.lines).toString('latin1')
        expect(rendered).toBe(text.replace(/^\r\n/, '').replace(' HTTP/1.0\r\n', ' HTTP/1.1\r\n'))
        const answer = parseResponseHead(formatResponseHead(head.minorVersion, 200, 'Fine', head.lines), 0, 'GET', defaultHeadLimits)
        expect(answer).toMatchObject({
          state: 'complete',
          head: { status: 200, reason: 'Fine', lines: head.lines, minorVersion: head.minorVersion },
        })
      }),
      { numRuns: 1000 },
    )
  })

  it('are rendered without anything that would be read as more than was given', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom('GET', '/', 'A: b', 'A: b\r\nC: d', 'A: \u010a', '\r\n'),
    )
    fc.assert(
      fc.property(part, part, fc.array(part, { maxLength: 4 }), (method, target, lines) => {
        let text: string
        try {
          text = formatRequestHead(method, target, lines).toString('latin1')
        } catch (error) {
          if (error instanceof TypeError) return
          throw error
        }
        expect(text.split('\r\n')).toEqual([`${method} ${target} HTTP/1.1`, ...lines, '', ''])
        expect(text).not.toMatch(/[^\r]\n|\r[^\n]/)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('generated bodies', () => {
  it('end at the same byte wherever they are split', () => {
    const framings: BodyFraming[] = [{ kind: 'chunked' }, { kind: 'length', bytes: 30 }]
    const chunkedBody = validRequest.filter(({ head }) => head.includes('Transfer-Encoding')).map(({ body }) => body)
    const spoiled = fc
      .tuple(chunkedBody, fc.nat(), fc.constantFrom('\r', '\n', ' ', ';', '0', 'f', '\0', ':'))
      .map(([body, at, trick]) => body.slice(0, at % body.length) + trick + body.slice(at % body.length))
    fc.assert(
      fc.property(
        fc.oneof(chunkedBody, spoiled),
        fc.constantFrom(...framings),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (text, framing, sizes) => {
          const bytes = bytesOf(`${text}rest`)
          const whole = createBodyScanner(framing)
          const end = whole.scan(bytes, 0)
          const split = createBodyScanner(framing)
          let at = 0
          for (let turn = 0; at >= 0 && at < bytes.length && !split.done; turn += 1) {
            const piece = bytes.subarray(at, at + (sizes[turn % sizes.length] ?? 1))
            const used = split.scan(piece, 0)
            at = used < 0 ? -1 : at + used
          }
          expect([at, split.done]).toEqual([end, whole.done])
        },
      ),
      { numRuns: 1500 },
    )
  })
})
