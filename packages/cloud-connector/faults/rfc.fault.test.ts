import { createRfcCaller, rfcLogon, type RfcCaller, rfcTarget } from '@sallyport/conformance/cases'
import {
  appcFunctions,
  deallocateRecord,
  clientGatewayConnect,
  cpicTags,
  formatAppcRecord,
  formatCallRequest,
  formatChain,
  formatGatewayConnect,
  formatLogonRequest,
  formatNiFrame,
  allocateRecord,
  infrastructureFunctions,
  initializeRecord,
  isRefused,
  niPing,
  parseChain,
  partnerRecord,
  readCallRequest,
  requestRecords,
} from '@sallyport/rfc-wire'
import { createManualClock } from '@sallyport/test-fixtures'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import '../../../tooling/generated-inputs.ts'
import { type ConnectorBench, startConnectorBench, until } from '../conformance/connector-bench.ts'
import {
  gatewayConversation,
  type GatewayScript,
  replyPayloads,
  type ScriptedGateway,
  startScriptedGateway,
} from '../conformance/scripted-gateway.ts'

let bench: ConnectorBench
let gateway: ScriptedGateway
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')
const virtual = { host: 'erp.demo', port: 3300 }

async function start(
  fields: Readonly<Record<string, unknown>>,
  script: GatewayScript = {},
  more: Partial<Parameters<typeof startConnectorBench>[0]> = {},
): Promise<void> {
  gateway = await startScriptedGateway(script)
  const mapping = { virtual: 'erp.demo:sapgw00', internal: `rfc://127.0.0.1:${gateway.port}`, systemNumber: '00', backendType: 'abapSys' }
  bench = await startConnectorBench({ connector: { mappings: [{ ...mapping, functions: [{ name: 'Z_OK' }], ...fields }] }, ...more })
}

async function open(): Promise<RfcCaller & { readonly close: () => void }> {
  const { answer, stream } = await bench.tcp(virtual)
  expect(answer).toEqual({ kind: 'connected' })
  return Object.assign(createRfcCaller(stream), { close: () => void stream.destroy() })
}

/** Everything that a client says, record by record: the last is a call that is not allowed. */
function conversationOf(secretSlices: number): readonly Buffer[] {
  const records = (chain: Buffer): readonly Buffer[] =>
    [...requestRecords(chain, gatewayConversation)].map(({ record }) => formatAppcRecord(record))
  const call = (functionName: string, bytes: number): Buffer =>
    formatCallRequest({
      release: '754',
      functionName,
      wantedOutputs: [],
      inputs: [{ kind: 'value', name: 'P', value: Buffer.alloc(bytes, 9) }],
    })
  return [
    formatGatewayConnect(clientGatewayConnect({ program: 'node', hostName: 'laptop' })),
    formatAppcRecord(initializeRecord(rfcTarget)),
    formatAppcRecord(partnerRecord(rfcTarget.host, gatewayConversation)),
    formatAppcRecord(allocateRecord(gatewayConversation)),
    ...records(formatLogonRequest(rfcLogon)),
    ...records(call('Z_OK', 100)),
    ...records(call('Z_OK', 60_000)),
    ...records(call('Z_SECRET', secretSlices * 28_000)),
  ]
}

/** One way to be hostile. */
type Change =
  | { readonly kind: 'byte'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'name'; readonly bytes: Uint8Array }

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(500), value: fc.nat(255) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(500) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(500), bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
  fc.record({ kind: fc.constant('name' as const), bytes: fc.uint8Array({ maxLength: 12 }) }),
)

function applied(message: Buffer, how: Change): Buffer {
  const at = 'at' in how ? Math.min(how.at, message.length) : 0
  if (how.kind === 'cut') return message.subarray(0, at)
  if (how.kind === 'insert') return Buffer.concat([message.subarray(0, at), how.bytes, message.subarray(at)])
  if (how.kind === 'byte') {
    const copy = Buffer.from(message)
    if (at < copy.length) copy[at] = how.value
    return copy
  }
  // A second name behind the first one.
  const end = message.indexOf(Buffer.from('01020512', 'hex'))
  if (end < 0) return message
  const field = Buffer.concat([Buffer.from([1, 2, 1, 2, 0, how.bytes.length]), how.bytes])
  return Buffer.concat([message.subarray(0, end), field, message.subarray(end)])
}

/** What the backend has been asked to run, told by a reader of its own. */
function functionsRun(): readonly string[] {
  return gateway.visits.flatMap((visit) =>
    visit.requests.slice(1).map((request) => {
      const chain = parseChain(request)
      const call = isRefused(chain) ? chain : readCallRequest(chain, 'utf16le')
      return isRefused(call) ? `not readable: ${call.refused}` : call.functionName
    }),
  )
}

describe('hostile clients', () => {
  it('never make the backend run what is not allowed, and never hang, whatever they change, leave out, repeat or say early', async () => {
    await start({})
    const order = fc.array(fc.nat(14), { maxLength: 20 })
    const hostile = fc.record({
      slices: fc.nat(2),
      changes: fc.array(fc.tuple(fc.nat(14), change), { maxLength: 3 }),
      order: fc.option(order, { nil: undefined }),
      pieces: fc.integer({ min: 1, max: 400 }),
      waits: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(hostile, async ({ changes, order: chosen, pieces, slices, waits }) => {
        const said = conversationOf(slices).map((message, at) =>
          changes.filter(([which]) => which === at).reduce((changed, [, how]) => applied(changed, how), message),
        )
        const messages = chosen === undefined ? said : chosen.map((at) => said[at % said.length] ?? Buffer.alloc(0))
        const caller = await open()
        for (const message of messages) {
          const frame = formatNiFrame(message)
          for (let at = 0; at < frame.length; at += pieces * 100) caller.raw(frame.subarray(at, at + pieces * 100))
          // An answer, or none: who waits a turn or two meets both.
          if (waits) await new Promise((resolve) => setTimeout(resolve, 1))
          if (caller.ended) break
        }
        caller.close()
        await until(() => bench.openStreams === 0 && gateway.visits.every((visit) => visit.closed))
      }),
      { numRuns: 300 },
    )
    const run = functionsRun()
    expect(run.filter((name) => name !== 'Z_OK' && !infrastructureFunctions.has(name))).toEqual([])
    // Some of them were not hostile enough.
    expect(run).toContain('Z_OK')
    const secret = utf16('Z_SECRET')
    expect(gateway.visits.flatMap((visit) => visit.messages).filter((message) => message.includes(secret))).toEqual([])
  }, 60_000)

  it('that send bytes of their own say nothing to the backend', async () => {
    await start({})
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        const caller = await open()
        caller.raw(Buffer.from(bytes))
        caller.say(Buffer.from(bytes))
        caller.close()
        await until(() => bench.openStreams === 0)
      }),
      { numRuns: 200 },
    )
    expect(gateway.visits.flatMap((visit) => visit.messages)).toEqual([])
  })

  it('that only ask whether somebody is there have to read the answers', async () => {
    await start({})
    const { stream } = await bench.tcp(virtual)
    stream.pause()
    const pings = Buffer.concat(Array.from({ length: 2000 }, () => formatNiFrame(niPing)))
    let written = 0
    // Nothing is read: the answers fill the stream, and then nothing more is taken.
    while (written < 4000 && stream.write(pings)) written += 1
    expect(written).toBeLessThan(4000)
    stream.destroy()
    await until(() => bench.openStreams === 0)
  })
})

describe('time', () => {
  it('a conversation that is not set up within 30 s ends', async () => {
    const clock = createManualClock()
    await start({}, {}, { clock })
    const caller = await open()
    await caller.connect()
    clock.advance(31_000)
    expect(await caller.next()).toBeUndefined()
    expect(bench.audit.at(-1)).toMatchObject({ message: expect.stringContaining('the conversation is not set up in time') })
  })

  it('a conversation may be silent for ever, unless the mapping has a limit', async () => {
    const clock = createManualClock()
    await start({ idleTimeoutSeconds: 0 }, {}, { clock })
    const caller = await open()
    await caller.logOn()
    for (let hour = 0; hour < 60; hour++) {
      const pongs = gateway.visits[0]?.messages.length
      clock.advance(60_000)
      await new Promise((resolve) => setImmediate(resolve))
      expect(gateway.visits[0]?.messages.length).toBe(pongs)
    }
    expect(await caller.call('Z_OK')).toMatchObject({ kind: 'success' })
    await bench.configure({
      mappings: [
        {
          virtual: 'erp.demo:sapgw00',
          internal: `rfc://127.0.0.1:${gateway.port}`,
          systemNumber: '00',
          backendType: 'abapSys',
          idleTimeoutSeconds: 60,
        },
      ],
    })
    const limited = await open()
    await limited.logOn()
    clock.advance(61_000)
    expect(await limited.nextRecord()).toMatchObject({ appcReturnCode: 18 })
    expect(await limited.next()).toBeUndefined()
  })

  it('are idle when nothing but pings goes by, however long they may be', async () => {
    const clock = createManualClock()
    await start({ idleTimeoutSeconds: 900 }, {}, { clock })
    const caller = await open()
    await caller.logOn()
    for (let minute = 0; minute < 14; minute++) {
      clock.advance(60_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await caller.call('Z_OK')).toMatchObject({ kind: 'success' })
    for (let minute = 0; minute < 16; minute++) {
      clock.advance(60_000)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(await caller.nextRecord()).toMatchObject({ appcReturnCode: 18 })
    expect(await caller.next()).toBeUndefined()
  })
})

describe('conversations that have ended', () => {
  it('are closed when neither side closes them', async () => {
    const clock = createManualClock()
    await start({}, {}, { clock })
    const { stream } = await bench.tcp(virtual)
    const caller = createRfcCaller(stream)
    await caller.logOn()
    caller.record(deallocateRecord(caller.conversation))
    await until(() => gateway.visits[0]?.messages.at(-1)?.[1] === appcFunctions.deallocate)
    // What is said behind the end reaches nobody.
    const messages = gateway.visits[0]?.messages.length
    caller.record(allocateRecord(caller.conversation))
    clock.advance(6_000)
    expect(await caller.next()).toBeUndefined()
    await until(() => gateway.visits[0]?.closed === true && bench.openStreams === 0)
    expect(gateway.visits[0]?.messages).toHaveLength(messages ?? 0)
  })
})

describe('broken backends', () => {
  it.each<[string, NonNullable<GatewayScript['reply']>]>([
    ['a record that is none', () => [Buffer.from('not a record')]],
    ['a reply that states another length', () => replyPayloads(replyOf(10)).map((payload) => payload.subarray(0, -1))],
    ['a chain that begins like nothing', () => replyPayloads(Buffer.from('050600000506ffff0000ffff', 'hex'))],
    ['a function that no backend uses', () => [Buffer.concat([Buffer.from([6, 0xcf, 2]), Buffer.alloc(77)])]],
    ['two replies to one call', () => [...replyPayloads(replyOf(2)), ...replyPayloads(replyOf(2))]],
  ])('that answer with %s are given up, with a line in the log', async (_title, reply) => {
    await start({}, { reply })
    const caller = await open()
    await caller.logOn()
    await caller.call('Z_OK')
    await until(() => gateway.visits[0]?.closed === true && bench.openStreams === 0)
    expect(bench.logged.join()).toMatch(/"code":"PROTOCOL_VIOLATION","reason":"[^"]+","message":"RFC backend given up"/)
  })

  it('that end inside a record are told from those that end in order', async () => {
    await start({}, { reply: (_chain, visit) => (visit.raw(Buffer.from([0, 0, 1, 0, 6])), visit.end(), []) })
    const caller = await open()
    await caller.logOn()
    expect(await caller.call('Z_OK')).toEqual({ kind: 'closed' })
    expect(bench.logged.join()).toContain('the backend ends inside a message')
  })

  it('that do not answer a ping are given up', async () => {
    const clock = createManualClock()
    await start({}, { deaf: true }, { clock })
    const caller = await open()
    await caller.logOn()
    clock.advance(301_000)
    expect(bench.openStreams).toBe(1)
    clock.advance(61_000)
    await until(() => bench.openStreams === 0)
    expect(bench.logged.join()).toContain('the backend does not answer a ping')
  })
})

function replyOf(bytes: number): Buffer {
  return formatChain(
    [
      { tag: cpicTags.reply, value: Buffer.alloc(0) },
      { tag: cpicTags.errorText, value: Buffer.alloc(bytes) },
    ],
    { logon: false },
  )
}
