import { describe, expect, it } from 'vitest'
import {
  acknowledgementRecord,
  appcFunctions,
  cpicTags,
  createReplyReader,
  formatAppcRecord,
  formatCallReply,
  formatCallRequest,
  formatErrorReply,
  formatChain,
  isRefused,
  parseAppcRecord,
  parseChain,
  readAcknowledgement,
  readCallReply,
  readCallRequest,
  readRequestData,
  replyRecords,
  requestRecords,
  type AppcRecord,
  type CpicChain,
} from './index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')
const conversation = { conversationId: '75568442', connectionIndex: 1 }
const padded = utf16('hello'.padEnd(255, ' '))
const call = {
  release: '754',
  functionName: 'STFC_CONNECTION',
  wantedOutputs: ['ECHOTEXT', 'RESPTEXT'],
  inputs: [{ kind: 'value', name: 'REQUTEXT', value: padded }],
} as const

function whole(chain: Buffer): CpicChain {
  const read = parseChain(chain)
  if (isRefused(read)) throw new Error(read.refused)
  expect(read.bytes).toBe(chain.length)
  return read
}

describe('a call', () => {
  it('begins with the bytes of the specification', () => {
    expect(formatCallRequest(call).subarray(0, 52)).toEqual(
      bytes(
        '05020000 0502 000b 0006 370035003400 000b 0102 001e 5300 5400 4600 4300 5f00 4300 4f00 4e00 4e00 4500 4300 5400 4900 4f00 4e00',
      ),
    )
  })

  it('has what it wants in front of what it brings', () => {
    const name = (tag: string, text: string): string =>
      `${tag} 00${(text.length * 2).toString(16).padStart(2, '0')} ${utf16(text).toString('hex')} ${tag}`
    expect(formatCallRequest(call).subarray(52)).toEqual(
      bytes(`0102 0512 0000 0512 ${name('0205', 'ECHOTEXT')} ${name('0205', 'RESPTEXT')} ${name('0201', 'REQUTEXT')}
        0203 01fe ${padded.toString('hex')} 0203 ffff 0000 ffff`),
    )
    expect(readCallRequest(whole(formatCallRequest(call)), 'utf16le')).toEqual(call)
  })

  it('is one record with a tail that states the length of the chain', () => {
    const chain = formatCallRequest(call)
    const [step, ...others] = requestRecords(chain, conversation)
    expect(others).toEqual([])
    const record = formatAppcRecord(step.record)
    const head = `06 cb 02 00 ffff 0000 0000 00 00 00000000 00 00000000 00 00000000 0008 0000 05 0c 00000000 00000000
      ${Buffer.from('75568442').toString('hex')} ${'00'.repeat(28)} ffff 0001`
    expect(record).toEqual(Buffer.concat([bytes(head), chain, bytes(`${chain.length.toString(16).padStart(8, '0')} 00008500`)]))
  })

  it('carries tables and XML', () => {
    const inputs = [
      { kind: 'table', name: 'ROWS', rowBytes: 2, rows: [bytes('0102'), bytes('0304')] },
      { kind: 'xml', xml: `<DEEP>${'ä'.repeat(20_000)}</DEEP>` },
    ] as const
    const chain = whole(formatCallRequest({ ...call, inputs }))
    expect(readCallRequest(chain, 'utf16le')).toEqual({ ...call, inputs })
    const xmlLengths = chain.fields.filter(({ tag }) => tag === cpicTags.xmlText).map(({ value }) => value.length)
    expect(xmlLengths).toEqual([16_384, 16_384, 40_013 - 32_768])
    expect(chain.fields.find(({ tag }) => tag === cpicTags.tableShape)?.value).toEqual(bytes('00000002 00000002'))
  })

  it.each(['', 'X'.repeat(31), 'A B', 'Ä'])('of %j is not rendered', (functionName) => {
    expect(() => formatCallRequest({ ...call, functionName })).toThrow(TypeError)
  })
})

describe('a long request', () => {
  const chain = formatChain([{ tag: cpicTags.call, value: Buffer.alloc(28_000 * 45) }], { logon: false })
  const steps = [...requestRecords(chain, conversation)]

  it('is sent in slices of 28000 bytes, every 22nd acknowledged, closed by an empty RECEIVE', () => {
    const names = steps.map(({ record }) => record.function)
    const slices = [...Array<number>(21).fill(0x08), 0x07]
    expect(names).toEqual([...slices, ...slices, 0x08, 0x08, 0x09])
    expect(steps.map(({ awaitsAcknowledgement }) => awaitsAcknowledgement)).toEqual(names.map((name) => name === 0x07))
    expect(steps.slice(0, -2).map(({ record }) => record.body.length)).toEqual(Array<number>(45).fill(28_000))
    expect(steps[0]?.record.operationInfo).toEqual(bytes(`00006d60 ${'00'.repeat(24)} ffff 0001`))
  })

  it('is put together to the same chain', () => {
    const read = steps.map(({ record }) => readRequestData(parsed(record)))
    const data = read.flatMap((part) => (isRefused(part) ? [] : [part]))
    expect(data).toHaveLength(steps.length)
    expect(Buffer.concat(data.map((part) => part.data)).equals(chain)).toBe(true)
    expect(data.map(({ last }) => last)).toEqual(data.map((_, at) => at === data.length - 1))
    expect(data.filter(({ barrier }) => barrier)).toHaveLength(2)
  })

  it('begins where one record no longer holds the chain', () => {
    const sized = (length: number): Buffer => formatChain([{ tag: cpicTags.call, value: Buffer.alloc(length - 12) }], { logon: false })
    expect([...requestRecords(sized(28_000), conversation)]).toHaveLength(1)
    expect([...requestRecords(sized(28_001), conversation)].map(({ record }) => record.body.length)).toEqual([28_000, 1, 0])
  })
})

describe('a data record of a client', () => {
  const [compact] = requestRecords(formatCallRequest(call), conversation)
  const record = compact.record

  it.each([
    ['without tail', { sapParameterBytes: 0 }],
    ['with a tail of another length', { body: record.body.subarray(1) }],
    ['shorter than a tail', { body: Buffer.alloc(7) }],
    ['of a function without data', { function: appcFunctions.allocate, sapParameterBytes: 0 }],
    ['with more than a slice', { body: Buffer.alloc(28_009) }],
    ['with a slice whose length is another', { function: appcFunctions.asyncSendData, sapParameterBytes: 0 }],
    ['with an empty slice', { function: appcFunctions.asyncSendData, sapParameterBytes: 0, body: Buffer.alloc(0) }],
    ['with data behind the end', { function: appcFunctions.receive, sapParameterBytes: 0 }],
  ])('%s is refused', (_title, change) => {
    expect(isRefused(readRequestData({ ...record, ...change }))).toBe(true)
  })
})

describe('a reply', () => {
  const outputs = [
    { kind: 'value', name: 'ECHOTEXT', value: padded },
    { kind: 'table', name: 'ROWS', rowBytes: 1000, rows: Array.from({ length: 70 }, (_, at) => Buffer.alloc(1000, at)) },
  ] as const
  const chain = formatCallReply({ sessionId: Buffer.alloc(16, 1), outputNames: ['ECHOTEXT'], outputs })

  it('in several records is put together', () => {
    const records = replyRecords(chain, { conversation, sequenceNumber: 7, appcReturnCode: 0 })
    expect(records.map((record) => [record.function, record.vector, record.sequenceNumber, record.body.length])).toEqual([
      [0xcb, 0x08, 7, 28_000],
      [0x09, 0x08, 8, 28_000],
      [0x09, 0x0c, 9, chain.length - 56_000],
    ])
    const reader = createReplyReader()
    for (let turn = 0; turn < 2; turn += 1) {
      const results = records.map((record) => reader.read(parsed(record)))
      expect(results.slice(0, -1)).toEqual(['more', 'more'])
      expect(results.at(-1)).toEqual({ data: chain, appcReturnCode: 0, sapReturnCode: 0 })
    }
    expect(readCallReply(whole(chain), 'utf16le')).toEqual({ kind: 'success', outputs })
  })

  it('is complete with return code 18, whatever its vector says', () => {
    const [record] = replyRecords(formatErrorReply({ errorText: 'no' }), { conversation, sequenceNumber: 1, appcReturnCode: 18 })
    expect(record).toMatchObject({ vector: 0x08 })
    expect(createReplyReader().read(record)).toMatchObject({ appcReturnCode: 18 })
  })

  it('is refused when it grows over the limit, states another length or comes without data', () => {
    const records = replyRecords(chain, { conversation, sequenceNumber: 1, appcReturnCode: 0 })
    const reader = createReplyReader({ maxBytes: 30_000 })
    expect(reader.read(records[0])).toBe('more')
    expect(reader.read(records[1])).toEqual({ refused: 'reply: more than 30000 bytes' })
    expect(isRefused(createReplyReader().read({ ...records[0], body: Buffer.alloc(3) }))).toBe(true)
    expect(isRefused(createReplyReader().read(acknowledgementRecord(conversation, 1)))).toBe(true)
  })

  it('with an exception has the bytes of the specification', () => {
    const expected = bytes(
      `0500 0000 0500 0417 0006 ${utf16('000').toString('hex')} 0417 0401 000e ${utf16('EXAMPLE').toString('hex')} 0401 ffff 0000 ffff`,
    )
    expect(formatErrorReply({ exceptionKey: 'EXAMPLE', messageNumber: '000' })).toEqual(expected)
    expect(readCallReply(whole(expected), 'utf16le')).toEqual({ kind: 'error', error: { exceptionKey: 'EXAMPLE', messageNumber: '000' } })
  })

  it('decodes with shortened rows and unknown tags', () => {
    const fields = whole(formatCallReply({ sessionId: Buffer.alloc(16), outputNames: [], outputs: [] })).fields
    const table = [
      { tag: cpicTags.tableName, value: utf16('T') },
      { tag: cpicTags.tableHandle, value: bytes('0000001f') },
      { tag: cpicTags.tableShape, value: bytes('00000008 00000002') },
      { tag: cpicTags.tableRow, value: bytes('0102') },
      { tag: cpicTags.tableRow, value: bytes('0102030405060708') },
    ]
    const unknown = { tag: 0x0667, value: Buffer.alloc(8) }
    const reply = whole(formatChain([...fields, unknown, ...table, unknown], { logon: false }))
    const rows = [bytes('0102020202020202'), bytes('0102030405060708')]
    expect(readCallReply(reply, 'utf16le')).toEqual({ kind: 'success', outputs: [{ kind: 'table', name: 'T', rowBytes: 8, rows }] })
  })

  it.each([
    ['a value without a name', [[0x0203, '00']]],
    ['a name without a value', [[0x0201, '4100']]],
    ['a table without its shape', [[0x0301, '4100']]],
    [
      'fewer rows than stated',
      [
        [0x0301, '4100'],
        [0x0302, '0000000100000002'],
        [0x0304, '00'],
      ],
    ],
    [
      'a row longer than stated',
      [
        [0x0301, '4100'],
        [0x0302, '0000000100000001'],
        [0x0304, '0000'],
      ],
    ],
    [
      'an empty row',
      [
        [0x0301, '4100'],
        [0x0302, '0000000100000001'],
        [0x0304, ''],
      ],
    ],
    [
      'a row that would be filled to 4 GiB',
      [
        [0x0301, '4100'],
        [0x0302, 'ffffffff00000001'],
        [0x0304, '00'],
      ],
    ],
    [
      'compressed rows',
      [
        [0x0301, '4100'],
        [0x0302, '0000000100000001'],
        [0x0305, '00'],
      ],
    ],
    [
      'XML without its end',
      [
        [0x3c02, ''],
        [0x3c05, '3c'],
      ],
    ],
  ] as const)('with %s is refused', (_title, extra) => {
    const { fields } = whole(formatCallReply({ sessionId: Buffer.alloc(16), outputNames: [], outputs: [] }))
    const chain2 = { logon: false, bytes: 0, fields: [...fields, ...extra.map(([tag, hex]) => ({ tag, value: bytes(hex) }))] }
    expect(isRefused(readCallReply(chain2, 'utf16le'))).toBe(true)
  })

  it('that calls back is told apart', () => {
    expect(readCallReply(whole(formatCallRequest(call)), 'utf16le')).toEqual({ kind: 'callback' })
  })

  it('with neither error nor state is refused', () => {
    expect(isRefused(readCallReply(whole(bytes('0500 0000 0500 ffff 0000 ffff')), 'utf16le'))).toBe(true)
  })

  it('to a slice is an empty record without return code', () => {
    const record = acknowledgementRecord(conversation, 3)
    expect(formatAppcRecord(record)).toHaveLength(80)
    expect(readAcknowledgement(record)).toEqual({ acknowledged: true })
    expect(isRefused(readAcknowledgement({ ...record, appcReturnCode: 20 }))).toBe(true)
    expect(isRefused(readAcknowledgement({ ...record, body: Buffer.alloc(1) }))).toBe(true)
  })
})

function parsed(record: AppcRecord): AppcRecord {
  const read = parseAppcRecord(formatAppcRecord(record))
  if (isRefused(read)) throw new Error(read.refused)
  return read
}
