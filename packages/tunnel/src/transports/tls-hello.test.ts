import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  chooseVersion,
  formatAnswer,
  formatHello,
  helloHeadBytes,
  parseHelloVersions,
  tryParseAnswer,
  tryParseHelloHead,
} from './tls-hello.ts'

it('reads the hello and the answer it writes', () => {
  const hello = { connectionId: randomBytes(16), lane: 1, lanes: 3, versions: [7, 2, 1] }
  const bytes = formatHello(hello)
  const { versionsBytes, ...head } = tryParseHelloHead(bytes.subarray(0, helloHeadBytes), 16) ?? { versionsBytes: 0 }
  expect(head).toEqual({ connectionId: hello.connectionId, lane: 1, lanes: 3 })
  expect(bytes.length).toBe(helloHeadBytes + versionsBytes)
  expect(parseHelloVersions(bytes.subarray(helloHeadBytes))).toEqual([7, 2, 1])
  for (const status of ['accepted', 'version-unsupported', 'refused'] as const) {
    const answer = { status, version: 258, instance: randomBytes(8) }
    expect(tryParseAnswer(formatAnswer(answer))).toEqual(answer)
  }
})

it.each([
  ['no lanes', { lanes: 0 }],
  ['a lane beyond the last', { lane: 2, lanes: 2 }],
  ['more lanes than there may be', { lanes: 17 }],
  ['no versions', { versions: [] }],
  ['more versions than anybody speaks', { versions: Array.from({ length: 17 }, () => 1) }],
])('refuses a hello with %s', (_, wrong) => {
  const hello = formatHello({ connectionId: Buffer.alloc(16), lane: 0, lanes: 2, versions: [1], ...wrong })
  expect(tryParseHelloHead(hello.subarray(0, helloHeadBytes), 16)).toBeUndefined()
})

it('takes nothing else for a hello or an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(tryParseHelloHead(Buffer.from(bytes), 16)).toBeUndefined()
      expect(tryParseAnswer(Buffer.from(bytes))).toBeUndefined()
    }),
  )
})

it('chooses the newest version that both speak', () => {
  expect(chooseVersion([3, 2, 1], [2, 1])).toBe(2)
  expect(chooseVersion([1], [2, 1])).toBe(1)
  expect(chooseVersion([3], [2, 1])).toBeUndefined()
})
