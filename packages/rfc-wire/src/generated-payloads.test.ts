import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allocateReply,
  clientGatewayConnect,
  createNiReader,
  createReplyReader,
  denialRecord,
  formatAppcRecord,
  formatCallReply,
  formatCallRequest,
  formatGatewayConnect,
  formatInitializeInfo,
  formatInitializeParameters,
  formatLogonGroupReply,
  formatLogonGroupRequest,
  formatMessageServerMessage,
  formatNiFrame,
  formatRouteRequest,
  formatRouterError,
  initializeRecord,
  isRefused,
  parseAppcRecord,
  parseChain,
  parseClientInfo,
  parseGatewayConnect,
  parseInitializeInfo,
  parseInitializeParameters,
  parseLogonGroupReply,
  parseLogonGroupRequest,
  parseMessageServerMessage,
  parsePartnerInfo,
  parsePartnerParameters,
  parseRouteRequest,
  parseRouterError,
  parseServerInfo,
  parseSncFrame,
  partnerRecord,
  readCallReply,
  readCallRequest,
  readLogonAnswer,
  readLogonIdentity,
  readRequestData,
  readRequestedFunction,
  type Refused,
  requestRecords,
  rewriteGatewayConnect,
  rewriteInitialize,
  rewriteInitializeReply,
  rewritePartner,
  unscramblePassword,
} from './index.ts'

const conversation = { conversationId: '75568442', connectionIndex: 1 }
const call = formatCallRequest({
  release: '754',
  functionName: 'RFC_READ_TABLE',
  wantedOutputs: ['DATA'],
  inputs: [
    { kind: 'value', name: 'QUERY', value: Buffer.alloc(60) },
    { kind: 'table', name: 'OPTIONS', rowBytes: 4, rows: [Buffer.alloc(4), Buffer.alloc(4, 1)] },
    { kind: 'xml', xml: '<A><item>1</item></A>' },
  ],
})
const [compact] = requestRecords(call, conversation)

/** One valid payload of each kind, to be spoiled. */
const payloads: readonly Buffer[] = [
  formatGatewayConnect(clientGatewayConnect({ program: 'node', hostName: 'host' })),
  formatAppcRecord(
    initializeRecord({ host: 'erp', systemNumber: '00', rootContextId: '0'.repeat(16), connectionId: '1'.repeat(16), osUser: '' }),
  ),
  formatAppcRecord(partnerRecord('erp', conversation)),
  formatAppcRecord(allocateReply(conversation)),
  ...(compact === undefined ? [] : [formatAppcRecord(compact.record)]),
  formatAppcRecord(denialRecord({ conversation, sequenceNumber: 1, logon: true, text: 'no' })),
  formatCallReply({
    sessionId: Buffer.alloc(16),
    outputNames: ['A'],
    outputs: [{ kind: 'table', name: 'T', rowBytes: 2, rows: [Buffer.alloc(2)] }],
  }),
  call,
  formatRouteRequest({
    hops: [
      { host: 'a', service: '1', password: 'p' },
      { host: 'b', service: '2', password: '' },
    ],
    passedHops: 1,
    talkMode: 0,
  }),
  formatRouterError({ returnCode: -90, details: { text: 'unknown host' } }),
  formatLogonGroupRequest('PUBLIC'),
  formatLogonGroupReply({ known: true, group: 'PUBLIC', host: 'app', dispatcherPort: 3200 }),
  Buffer.from('534e434652414d4502060018000000030000000200010000aabbccdddd', 'hex'),
]

const spoiled = fc
  .tuple(
    fc.constantFrom(...payloads),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.oneof(fc.constantFrom('ff', '00', 'ffff', '0000', '7fffffff', 'ffffffff', '80000000'), fc.stringMatching(/^[0-9a-f]{2}$/)),
      ),
      { maxLength: 4 },
    ),
    fc.nat(),
    fc.constantFrom('keep', 'cut', 'grow'),
  )
  .map(([payload, changes, place, length]) => {
    const copy = Buffer.from(payload)
    for (const [at, hex] of changes) copy.write(hex, at % copy.length, 'hex')
    if (length === 'cut') return copy.subarray(0, place % (copy.length + 1))
    return length === 'grow' ? Buffer.concat([copy, Buffer.alloc(place % 200, place)]) : copy
  })

const random = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))

/** Everything that reads bytes of a peer. */
const readers: readonly ((payload: Buffer) => unknown)[] = [
  parseGatewayConnect,
  parseAppcRecord,
  parseInitializeInfo,
  parsePartnerInfo,
  parseClientInfo,
  parseServerInfo,
  parseInitializeParameters,
  parsePartnerParameters,
  parseRouteRequest,
  parseRouterError,
  parseMessageServerMessage,
  parseLogonGroupRequest,
  parseLogonGroupReply,
  parseSncFrame,
  parseChain,
  unscramblePassword,
  (payload) => readRequestedFunction(payload, { encoding: 'utf16le', whole: true }),
  (payload) => readRequestedFunction(payload, { encoding: 'ascii', whole: false }),
  (payload) => rewriteGatewayConnect(payload, { hostName: 'h' }),
  (payload) => rewriteInitialize(payload, { host: 'h', systemNumber: '00' }, { strict: false }),
  (payload) => rewriteInitializeReply(payload, 'h'),
  (payload) => rewritePartner(payload, { host: 'h', systemNumber: '00' }),
  (payload) => createNiReader({ maxPayloadBytes: 100 }).read(payload),
  (payload) => onRecord(payload, readRequestData),
  (payload) => onRecord(payload, (record) => createReplyReader().read(record)),
  (payload) => onChain(payload, (chain) => readCallRequest(chain, 'utf16le')),
  (payload) => onChain(payload, (chain) => readCallReply(chain, 'utf16le')),
  (payload) => onChain(payload, (chain) => readCallReply(chain, 'utf16be')),
  (payload) => onChain(payload, (chain) => readLogonAnswer(chain, 'ascii')),
  (payload) => onChain(payload, readLogonIdentity),
]

function onRecord<T>(payload: Buffer, read: (record: Exclude<ReturnType<typeof parseAppcRecord>, Refused>) => T): T | Refused {
  const record = parseAppcRecord(payload)
  return isRefused(record) ? record : read(record)
}

function onChain<T>(payload: Buffer, read: (chain: Exclude<ReturnType<typeof parseChain>, Refused>) => T): T | Refused {
  const chain = parseChain(payload)
  return isRefused(chain) ? chain : read(chain)
}

describe('generated payloads', () => {
  it('never make a reader throw, hang or answer with more than they hold', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 5, arbitrary: spoiled }, { weight: 1, arbitrary: random }), (payload) => {
        const before = Buffer.from(payload)
        for (const read of readers) {
          const result = read(payload)
          expect(Buffer.isBuffer(result) ? result.length : payload.length).toBe(payload.length)
        }
        expect(payload.equals(before)).toBe(true)
      }),
      { numRuns: 6000 },
    )
  })

  it('that are accepted are rendered to the same bytes', () => {
    let accepted = 0
    const pairs: readonly ((payload: Buffer) => unknown)[] = [
      (payload) => andThen(parseAppcRecord(payload), formatAppcRecord),
      (payload) => andThen(parseRouteRequest(payload), formatRouteRequest),
    ]
    fc.assert(
      fc.property(spoiled, (payload) => {
        for (const again of pairs) {
          const rendered = again(payload)
          if (isRefused(rendered)) continue
          accepted += 1
          expect(comparable(rendered as Buffer)).toEqual(comparable(payload))
        }
      }),
      { numRuns: 4000 },
    )
    expect(accepted).toBeGreaterThan(500)
  })

  it('that are accepted are rendered so that they are read the same, where text may be filled up in two ways', () => {
    let accepted = 0
    const pairs: readonly ((payload: Buffer) => readonly [unknown, unknown] | Refused)[] = [
      (payload) => andThen(parseGatewayConnect(payload), (read) => [read, parseGatewayConnect(formatGatewayConnect(read))] as const),
      (payload) =>
        andThen(parseMessageServerMessage(payload), (read) => [read, parseMessageServerMessage(formatMessageServerMessage(read))] as const),
      (payload) =>
        andThen(parseInitializeInfo(payload.subarray(48, 80)), (read) => [read, parseInitializeInfo(formatInitializeInfo(read))] as const),
      (payload) =>
        andThen(
          parseInitializeParameters(payload.subarray(80)),
          (read) => [read, parseInitializeParameters(formatInitializeParameters(read))] as const,
        ),
      (payload) => andThen(parseLogonGroupReply(payload), (read) => [read, parseLogonGroupReply(formatLogonGroupReply(read))] as const),
    ]
    fc.assert(
      fc.property(spoiled, (payload) => {
        for (const again of pairs) {
          const both = again(payload)
          if (isRefused(both)) continue
          accepted += 1
          expect(both[1]).toEqual(both[0])
        }
      }),
      { numRuns: 4000 },
    )
    expect(accepted).toBeGreaterThan(500)
  })

  it('are the same behind NI frames', () => {
    const reader = createNiReader({ maxPayloadBytes: 10_000 })
    for (const payload of payloads) expect(reader.read(formatNiFrame(payload)).frames).toEqual([{ kind: 'message', payload }])
  })
})

function andThen<T, R>(read: T | Refused, next: (value: T) => R): R | Refused {
  return isRefused(read) ? read : next(read)
}

/** NUL and blanks fill text up alike; and NI's version is the sender's. */
function comparable(payload: Buffer): Buffer {
  const copy = Buffer.from(payload)
  if (copy.toString('latin1', 0, 8) === 'NI_ROUTE') copy[10] = 40
  else for (let at = 40; at < Math.min(48, copy.length); at += 1) if (copy[at] === 0) copy[at] = 0x20
  return copy
}
