import { Duplex } from 'node:stream'
import type { Dial } from '@sallyport/core'
import {
  acceptedGatewayConnect,
  acknowledgementRecord,
  appcFunctions,
  clientGatewayConnect,
  cpicTags,
  denialRecord,
  formatAppcRecord,
  formatCallReply,
  formatCallRequest,
  formatChain,
  formatGatewayConnect,
  formatNiFrame,
  functionDenialText,
  niPing,
  replyRecords,
  serverAppcRecord,
} from '@sallyport/rfc-wire'
import {
  type AbapFunction,
  type AbapGateway,
  type AbapGatewayOptions,
  createAbapGateway,
  type GatewayMoment,
  type GatewayScript,
  type ScriptedAnswer,
} from '@sallyport/conformance/backends'
import { createManualClock } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { type ClassicClientOptions, createClassicClient, failureOf, loopbackDial } from '../conformance/classic-system.ts'
import { type RfcClient, rfcErrorGroup } from '../src/index.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

async function connected(
  script: GatewayScript,
  options: ClassicClientOptions = {},
  gatewayOptions: AbapGatewayOptions = {},
): Promise<{ readonly client: RfcClient; readonly gateway: AbapGateway }> {
  const gateway = await createAbapGateway({ ...gatewayOptions, script })
  open.push(gateway)
  const { client } = await createClassicClient(gateway.address, options)
  open.push(client)
  return { client, gateway }
}

/** The conversation that the fixture assigns to its first connection. */
const conversation = { conversationId: '10000001', connectionIndex: 1 }
const call = (client: RfcClient, signal?: AbortSignal): Promise<unknown> =>
  client.call('STFC_CONNECTION', { REQUTEXT: 'x' }, signal === undefined ? {} : { signal })

/** Bytes with nothing behind them; the caller's time is over when they are sent. */
function falling(silent: AbortController, ...bytes: readonly Buffer[]): ScriptedAnswer {
  const pieces = function* (): Generator<Buffer> {
    yield* bytes
    setImmediate(() => silent.abort(new DOMException('too long', 'TimeoutError')))
  }
  return { bytes: pieces(), end: 'silence' }
}

/** Plays an answer when the function is called; everything else goes as always. */
function atCall(answer: (moment: GatewayMoment) => ScriptedAnswer): GatewayScript {
  return (moment) => (moment.functionName === 'STFC_CONNECTION' && moment.connection === 1 ? answer(moment) : undefined)
}

const frames = (...payloads: readonly Buffer[]): Buffer[] => payloads.map((payload) => formatNiFrame(payload))
const framesOf = ({ payloads }: GatewayMoment): Buffer => Buffer.concat(frames(...payloads))

/** A reply of one record whose chain is this. */
const replyOf = (chain: Buffer): Buffer[] =>
  frames(...replyRecords(chain, { conversation, sequenceNumber: 9, appcReturnCode: 0 }).map((record) => formatAppcRecord(record)))

describe.each(['connect', 'initialize', 'allocate', 'logon', 'call'] as const)('at the step %s', (step) => {
  const at =
    (answer: (moment: GatewayMoment) => ScriptedAnswer): GatewayScript =>
    (moment) => {
      const isHere = moment.step === step && moment.connection === 1 && (step !== 'call' || moment.functionName === 'STFC_CONNECTION')
      return isHere ? answer(moment) : undefined
    }

  it.each<[string, (moment: GatewayMoment, silent: AbortController) => ScriptedAnswer, readonly string[]]>([
    ['that closes', () => ({ bytes: [], end: 'close' }), ['BACKEND_UNREACHABLE']],
    ['that resets', () => ({ bytes: [], end: 'reset' }), ['BACKEND_UNREACHABLE']],
    ['that is silent', (_moment, silent) => falling(silent), ['DEADLINE_EXCEEDED']],
    ['that stops half-way', (moment, silent) => falling(silent, framesOf(moment).subarray(0, -5)), ['DEADLINE_EXCEEDED']],
    ['that closes half-way', (moment) => ({ bytes: [framesOf(moment).subarray(0, -5)], end: 'close' }), ['BACKEND_UNREACHABLE']],
    ['that resets half-way', (moment) => ({ bytes: [framesOf(moment).subarray(0, 30)], end: 'reset' }), ['BACKEND_UNREACHABLE']],
    ['that speaks HTTP', () => ({ bytes: [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], end: 'silence' }), ['PROTOCOL_VIOLATION']],
    ['that sends another record', () => ({ bytes: frames(Buffer.alloc(80, 6)), end: 'silence' }), ['PROTOCOL_VIOLATION']],
    ['that sends an empty record', () => ({ bytes: frames(Buffer.from([0])), end: 'silence' }), ['PROTOCOL_VIOLATION']],
    [
      'that sends nothing but pings',
      (_moment, silent) => falling(silent, ...Array.from({ length: 200 }, () => formatNiFrame(niPing))),
      ['DEADLINE_EXCEEDED'],
    ],
    [
      'that answers twice',
      (moment) => ({ bytes: [Buffer.concat([framesOf(moment), framesOf(moment)])], end: 'silence' }),
      ['PROTOCOL_VIOLATION'],
    ],
  ])('a gateway %s ends the connection with an error, and never hangs', async (title, answer, codes) => {
    const silent = new AbortController()
    const { client, gateway } = await connected(at((moment) => answer(moment, silent)))
    const error = await failureOf(call(client, silent.signal))
    // Two answers in one piece are an answer, and then one that nobody asked for.
    expect(title === 'that answers twice' ? [...codes, 'BACKEND_UNREACHABLE'] : codes).toContain(error.code)
    expect(gateway.seen.calls.filter(({ functionName }) => functionName === 'STFC_CONNECTION').length).toBe(step === 'call' ? 1 : 0)
    // A byte of the call has left at the last step alone.
    const isOurs = rfcErrorGroup(error) !== undefined
    expect(isOurs ? error.details['requestSent'] : undefined).toBe(isOurs ? step === 'call' : undefined)
    // Nothing of the first connection is left, and the next call has one of its own.
    await expect(call(client)).resolves.toMatchObject({ ECHOTEXT: 'x' })
    expect(gateway.accepted).toBe(2)
  })

  it('PR-078 a length above the limit ends the connection before memory is taken for it', async () => {
    const { client } = await connected(at(() => ({ bytes: [Buffer.from('01000001', 'hex')], end: 'silence' })))
    const before = process.memoryUsage().arrayBuffers
    const error = await failureOf(call(client))
    expect(error.code).toBe('PROTOCOL_VIOLATION')
    expect(error.message).toContain('at most 16777216')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024)
  })
})

describe('a gateway', () => {
  it('that refuses clients is an error with its return code', async () => {
    const greeting = acceptedGatewayConnect(clientGatewayConnect({ program: 'x', hostName: 'y' }))
    const refusal = formatGatewayConnect({ ...greeting, returnCode: 236 })
    const { client } = await connected((moment) => (moment.step === 'connect' ? { bytes: frames(refusal), end: 'close' } : undefined))
    expect((await failureOf(call(client))).message).toContain('return code 236')
  })

  it('of a system without Unicode is refused in words', async () => {
    const greeting = acceptedGatewayConnect(clientGatewayConnect({ program: 'x', hostName: 'y' }))
    const latin = formatGatewayConnect({ ...greeting, codePage: '1100' })
    const { client } = await connected((moment) => (moment.step === 'connect' ? { bytes: frames(latin), end: 'silence' } : undefined))
    const error = await failureOf(call(client))
    expect([error.code, rfcErrorGroup(error)]).toEqual(['VERSION_UNSUPPORTED', 'COMMUNICATION'])
  })

  it.each(['initialize', 'allocate'] as const)('that answers %s with a return code is an error with its words', async (step) => {
    const text = Buffer.from('partner not reached\0')
    const name = step === 'initialize' ? appcFunctions.initialize : appcFunctions.allocate
    const record = serverAppcRecord({ function: name, appcReturnCode: 2, sapReturnCode: 236, errorBytes: text.length, body: text })
    const { client } = await connected((moment) =>
      moment.step === step ? { bytes: frames(formatAppcRecord(record)), end: 'close' } : undefined,
    )
    const error = await failureOf(call(client))
    expect(error.code).toBe('BACKEND_UNREACHABLE')
    expect(error.message).toMatch(/allocate failure, retry \(2\/236\) partner not reached/)
  })

  it('that ends a conversation without an answer is an error of the connection, not of the system', async () => {
    const record = serverAppcRecord({ function: appcFunctions.sapSend, appcReturnCode: 17, conversationId: '10000001' })
    const { client } = await connected(atCall(() => ({ bytes: frames(formatAppcRecord(record)), end: 'close' })))
    const error = await failureOf(call(client))
    expect([rfcErrorGroup(error), error.details['requestSent']]).toEqual(['COMMUNICATION', true])
    expect(error.message).toContain('deallocated abnormally')
  })

  it('that answers for another conversation breaks the protocol', async () => {
    const chain = formatCallReply({ sessionId: Buffer.alloc(16), outputNames: [], outputs: [] })
    const other = replyRecords(chain, {
      conversation: { ...conversation, conversationId: '10000099' },
      sequenceNumber: 1,
      appcReturnCode: 0,
    })
    const { client } = await connected(atCall(() => ({ bytes: frames(...other.map((each) => formatAppcRecord(each))), end: 'silence' })))
    expect((await failureOf(call(client))).message).toContain('a record of another conversation')
  })

  it('that speaks unasked loses the connection, and the next call has another', async () => {
    const extra = formatNiFrame(formatAppcRecord(acknowledgementRecord(conversation, 1)))
    const { client, gateway } = await connected(() => undefined)
    await call(client)
    expect(gateway.accepted).toBe(1)
    gateway.sendUnasked(extra)
    await gateway.idle()
    await expect(call(client)).resolves.toMatchObject({ ECHOTEXT: 'x' })
    expect(gateway.accepted).toBe(2)
  })

  it('that breaks an idle connection is noticed, and the next call has another', async () => {
    const gateway = await createAbapGateway()
    open.push(gateway)
    const streams: Duplex[] = []
    const dial: Dial = async (address, options) => {
      const stream = await loopbackDial(gateway.address)(address, options)
      streams.push(stream)
      return stream
    }
    const { client } = await createClassicClient(gateway.address, { dial })
    open.push(client)
    await call(client)
    const [stream] = streams
    const closed = stream === undefined ? undefined : new Promise((resolve) => stream.once('close', resolve))
    gateway.breakConnections()
    await closed
    await expect(call(client)).resolves.toMatchObject({ ECHOTEXT: 'x' })
    expect(gateway.accepted).toBe(2)
  })

  it('that does not end its side after the goodbye is not waited for longer than two seconds', async () => {
    const clock = createManualClock()
    const gateway = await createAbapGateway()
    open.push(gateway)
    const ending = Promise.withResolvers<void>()
    const dial: Dial = async (address, options) => {
      const far = await loopbackDial(gateway.address)(address, options)
      const near = new Duplex({
        read: () => {},
        write: (chunk: Buffer, _encoding, callback) => void far.write(chunk, callback),
        final(callback) {
          ending.resolve()
          callback()
        },
        destroy(error, callback) {
          far.destroy()
          callback(error)
        },
      })
      far.on('data', (chunk: Buffer) => near.push(chunk))
      return near
    }
    const { client } = await createClassicClient(gateway.address, { clock, dial })
    await call(client)
    const disposed = client[Symbol.asyncDispose]()
    await ending.promise
    clock.advance(2000)
    await disposed
    await gateway.idle()
    expect(gateway.seen.deallocated).toBe(1)
  })
})

describe('a reply', () => {
  const fields = [
    { tag: cpicTags.reply, value: Buffer.alloc(0) },
    { tag: cpicTags.replyContext, value: Buffer.alloc(0) },
    { tag: cpicTags.callStatus, value: Buffer.alloc(4) },
    { tag: cpicTags.parameters, value: Buffer.alloc(0) },
  ]
  const good = formatChain(fields, { logon: false })
  /** With the second field closed by another tag. */
  const mismatched = Buffer.from(good)
  mismatched.writeUInt16BE(0x0504, 10)
  /** With a value that goes on behind the end. */
  const overlong = Buffer.from(good)
  overlong.writeUInt16BE(0x7fff, 14)

  it.each<[string, Buffer]>([
    ['whose fields are closed by another tag', mismatched],
    ['whose field is longer than the reply', overlong],
    ['without its end', good.subarray(0, -6)],
    ['without anything', Buffer.from('05000000', 'hex')],
    ['that begins like something else', formatChain([{ tag: cpicTags.start, value: Buffer.alloc(8) }], { logon: false })],
    ['without a state', formatChain(fields.slice(0, 2), { logon: false })],
    [
      'with a value of another length',
      formatChain(
        [
          ...fields,
          { tag: cpicTags.parameterName, value: Buffer.from('ECHOTEXT', 'utf16le') },
          { tag: cpicTags.parameterValue, value: Buffer.alloc(3) },
        ],
        { logon: false },
      ),
    ],
  ])('PR-090 %s breaks the protocol, and never hangs', async (_title, chain) => {
    const { client, gateway } = await connected(atCall(() => ({ bytes: replyOf(chain), end: 'silence' })))
    const error = await failureOf(call(client))
    expect([error.code, rfcErrorGroup(error)]).toEqual(['PROTOCOL_VIOLATION', 'COMMUNICATION'])
    await expect(call(client)).resolves.toMatchObject({ ECHOTEXT: 'x' })
    expect(gateway.accepted).toBe(2)
  })

  it('that never ends is given up with the call', async () => {
    const endless = replyRecords(Buffer.alloc(28_001), { conversation, sequenceNumber: 1, appcReturnCode: 0 })
    const [first] = endless
    if (first === undefined) throw new Error('no record')
    const frame = formatNiFrame(formatAppcRecord(first))
    const bytes = (function* (): Generator<Buffer> {
      for (;;) yield frame
    })()
    const { client, gateway } = await connected(atCall(() => ({ bytes, end: 'close' })))
    const error = await failureOf(client.call('STFC_CONNECTION', { REQUTEXT: 'x' }, { timeoutMs: 150 }))
    expect(['DEADLINE_EXCEEDED', 'PROTOCOL_VIOLATION']).toContain(error.code)
    await gateway.idle()
  })

  it('that calls back is refused', async () => {
    const callback = formatCallRequest({ release: '754', functionName: 'RFC_CALLBACK', wantedOutputs: [], inputs: [] })
    const { client } = await connected(atCall(() => ({ bytes: replyOf(callback), end: 'silence' })))
    const error = await failureOf(call(client))
    expect([error.code, rfcErrorGroup(error)]).toEqual(['OPERATION_FORBIDDEN', 'COMMUNICATION'])
  })

  it('of a connector that denies the function is told as what it is', async () => {
    const text = functionDenialText('STFC_CONNECTION', 'erp.example', 'sapgw42')
    const record = denialRecord({ conversation, sequenceNumber: 9, logon: false, text })
    const { client } = await connected(atCall(() => ({ bytes: frames(formatAppcRecord(record)), end: 'close' })))
    const error = await failureOf(call(client))
    expect([error.code, rfcErrorGroup(error), error.details['key']]).toEqual(['ACCESS_DENIED', 'COMMUNICATION', 'JCO_ERROR_COMMUNICATION'])
    expect(error.message).toContain(text)
  })

  it('of a connector that denies the logon is told as what it is', async () => {
    const text = functionDenialText('RFC_READ_TABLE', 'erp.example', 'sapgw42')
    const record = denialRecord({ conversation, sequenceNumber: 1, logon: true, text })
    const { client } = await connected((moment) =>
      moment.step === 'logon' ? { bytes: frames(formatAppcRecord(record)), end: 'close' } : undefined,
    )
    const error = await failureOf(call(client))
    expect([error.code, rfcErrorGroup(error)]).toEqual(['ACCESS_DENIED', 'COMMUNICATION'])
  })
})

describe('a request in slices', () => {
  const rows = Array.from({ length: 1500 }, (_, at) => ({ WA: `row ${at}` }))
  const send = (client: RfcClient, signal?: AbortSignal): Promise<unknown> =>
    client.call('Z_VOLUME', { ROWS: rows }, signal === undefined ? {} : { signal })
  const atAcknowledgement =
    (answer: (moment: GatewayMoment) => ScriptedAnswer): GatewayScript =>
    (moment) =>
      moment.step === 'acknowledge' ? answer(moment) : undefined

  it('whose slices nobody acknowledges is given up', async () => {
    const silent = new AbortController()
    const { client } = await connected(atAcknowledgement(() => falling(silent)))
    expect((await failureOf(send(client, silent.signal))).code).toBe('DEADLINE_EXCEEDED')
  })

  it('that is refused half-way fails with the words of the refusal', async () => {
    const text = functionDenialText('Z_VOLUME', 'erp.example', 'sapgw42')
    const record = denialRecord({ conversation, sequenceNumber: 9, logon: false, text })
    const { client } = await connected(atAcknowledgement(() => ({ bytes: frames(formatAppcRecord(record)), end: 'close' })))
    expect((await failureOf(send(client))).code).toBe('ACCESS_DENIED')
  })

  it('whose acknowledgement has a return code is an error', async () => {
    const refusal = { ...acknowledgementRecord(conversation, 9), appcReturnCode: 20 }
    const { client } = await connected(atAcknowledgement(() => ({ bytes: frames(formatAppcRecord(refusal)), end: 'silence' })))
    expect((await failureOf(send(client))).message).toContain('20')
  })
})

describe('a caller that gives up', () => {
  it('ends the call and its connection, and nothing is sent again', async () => {
    const controller = new AbortController()
    const { client, gateway } = await connected(
      atCall(() => {
        controller.abort()
        return { bytes: [], end: 'silence' }
      }),
    )
    const error = await failureOf(client.call('STFC_CONNECTION', { REQUTEXT: 'x' }, { signal: controller.signal }))
    expect(error.code).toBe('ABORTED')
    await gateway.idle()
    expect(gateway.seen.calls.filter(({ functionName }) => functionName === 'STFC_CONNECTION')).toHaveLength(1)
  })

  it('while the connection is made leaves nothing open', async () => {
    const controller = new AbortController()
    const { client, gateway } = await connected((moment) => {
      if (moment.step !== 'allocate') return undefined
      controller.abort()
      return { bytes: [], end: 'silence' }
    })
    expect((await failureOf(client.call('STFC_CONNECTION', {}, { signal: controller.signal }))).code).toBe('ABORTED')
    await gateway.idle()
  })

  it('by disposing the client ends calls that are under way', async () => {
    const disposed: Promise<void>[] = []
    const { client, gateway } = await connected(
      atCall(() => {
        disposed.push(client[Symbol.asyncDispose]())
        return { bytes: [], end: 'silence' }
      }),
    )
    expect((await failureOf(client.call('STFC_CONNECTION', { REQUTEXT: 'x' }))).code).toBe('ABORTED')
    await Promise.all(disposed)
    await gateway.idle()
  })
})

describe('a look-up', () => {
  it('that breaks is no call: nothing of that has left', async () => {
    const { client } = await connected((moment) =>
      moment.functionName === 'RFC_GET_FUNCTION_INTERFACE' && moment.connection === 1 ? { bytes: [], end: 'reset' } : undefined,
    )
    const error = await failureOf(call(client))
    expect([error.code, error.details['requestSent']]).toEqual(['BACKEND_UNREACHABLE', false])
  })
})

describe('descriptions', () => {
  const named = (name: string): AbapFunction => ({
    name,
    parameters: [{ name: 'P', direction: 'import', type: { kind: 'named', name: 'RFCTEST' } }],
    run: () => ({}),
  })

  it('of types without end are an error of the call, and the connection stays', async () => {
    const fieldInfo: AbapFunction = {
      name: 'DDIF_FIELDINFO_GET',
      parameters: [
        { name: 'TABNAME', direction: 'import', type: { kind: 'char', length: 30 } },
        { name: 'ALL_TYPES', direction: 'import', type: { kind: 'char', length: 1 } },
        { name: 'UCLEN', direction: 'import', type: { kind: 'raw', length: 1 } },
        { name: 'DDOBJTYPE', direction: 'export', type: { kind: 'char', length: 8 } },
        { name: 'DFIES_TAB', direction: 'tables', type: { kind: 'named', name: 'DFIES' } },
      ],
      // Every structure has a component of another one.
      run: ({ TABNAME: name }) => ({
        DDOBJTYPE: 'INTTAB',
        DFIES_TAB: [{ FIELDNAME: 'NEXT', ROLLNAME: `${(name as string).slice(0, 20)}X`, COMPTYPE: 'S', DATATYPE: 'STRU' }],
      }),
    }
    const { client, gateway } = await connected(() => undefined, {}, { functions: [named('Z_ENDLESS'), fieldInfo] })
    const error = await failureOf(client.call('Z_ENDLESS'))
    expect(rfcErrorGroup(error)).toBe('CONVERSION')
    expect(error.message).toContain('nested more than 20 deep')
    await call(client)
    expect(gateway.accepted).toBe(1)
  })

  it('of types that nobody knows are an error of the call', async () => {
    const dictionary = { RFCTEST: { fields: [] } }
    const { client } = await connected(() => undefined, {}, { functions: [named('Z_EMPTY')], dictionary })
    expect((await failureOf(client.call('Z_EMPTY'))).message).toContain('tells no components of RFCTEST')
  })
})
