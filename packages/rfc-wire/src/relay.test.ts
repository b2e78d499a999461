import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AppcRecord,
  clientGatewayConnect,
  cpicTags,
  denialRecord,
  formatAppcRecord,
  formatCallRequest,
  formatChain,
  formatGatewayConnect,
  formatLogonRequest,
  functionDenialText,
  initializeRecord,
  initializeReply,
  infrastructureFunctions,
  isRefused,
  isSncFrame,
  logonFunctions,
  parseAppcRecord,
  parseChain,
  parseSncFrame,
  partnerRecord,
  readCallReply,
  readLogonAnswer,
  readRequestedFunction,
  relayedAppcFunctions,
  rewriteGatewayConnect,
  rewriteInitialize,
  rewriteInitializeReply,
  rewritePartner,
  shippingFunctions,
} from './index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')
const conversation = { conversationId: '75568442', connectionIndex: 1 }
const whole = { encoding: 'utf16le', whole: true } as const
const firstOfMany = { encoding: 'utf16le', whole: false } as const

const call = formatCallRequest({
  release: '754',
  functionName: 'STFC_CONNECTION',
  wantedOutputs: [],
  inputs: [{ kind: 'value', name: 'A', value: utf16('x') }],
})
const logon = formatLogonRequest({
  client: '001',
  user: 'U',
  password: 'p',
  language: 'E',
  clientAddress: '127.0.0.1',
  hostName: 'h',
  program: 'node',
  release: '754',
  destination: 'D',
  sessionId: Buffer.alloc(16),
  passwordSeed: 1,
})

describe('the function that a request calls', () => {
  it.each([
    ['a short call', call, whole, 'STFC_CONNECTION', false],
    ['the first slice of a call', call.subarray(0, 70), firstOfMany, 'STFC_CONNECTION', false],
    ['a logon', logon, whole, 'RFCPING', true],
    [
      'a full call',
      bytes(`0101 0008 0301010504010003 0101 0502 0000 0502 0102 0004 ${utf16('AB').toString('hex')} 0102 0512 0000 0512 ffff 0000 ffff`),
      whole,
      'AB',
      false,
    ],
    [
      'a call with blanks behind the name',
      chain([cpicTags.call, ''], [cpicTags.functionName, utf16('AB  ').toString('hex')]),
      whole,
      'AB',
      false,
    ],
    [
      'a call in UTF-16BE',
      chain([cpicTags.call, ''], [cpicTags.functionName, '00410042']),
      { encoding: 'utf16be', whole: true } as const,
      'AB',
      false,
    ],
    [
      'a call in single bytes',
      chain([cpicTags.call, ''], [cpicTags.functionName, '4142']),
      { encoding: 'ascii', whole: true } as const,
      'AB',
      false,
    ],
  ] as const)('is found in %s', (_title, data, options, functionName, isLogon) => {
    expect(readRequestedFunction(data, options)).toEqual({ functionName, logon: isLogon })
  })

  const name = [cpicTags.functionName, '41004200'] as const
  const begin = [cpicTags.call, ''] as const
  it.each([
    ['without a name', chain(begin, [cpicTags.parameters, ''])],
    ['with a name twice', chain(begin, name, name)],
    ['with a name behind the parameters', chain(begin, [cpicTags.parameters, ''], name)],
    ['with a second name behind the parameters', chain(begin, name, [cpicTags.parameters, ''], name)],
    ['with an empty name', chain(begin, [cpicTags.functionName, ''])],
    ['with a name of odd length', chain(begin, [cpicTags.functionName, '410042'])],
    ['with a name in the other Unicode', chain(begin, [cpicTags.functionName, '00410042'])],
    ['with a name in single bytes', chain(begin, [cpicTags.functionName, '41424344'])],
    ['with a blank inside the name', chain(begin, [cpicTags.functionName, '410020004200'])],
    ['with NUL behind the name', chain(begin, [cpicTags.functionName, '410042000000'])],
    ['with a name of 31 characters', chain(begin, [cpicTags.functionName, '4100'.repeat(31)])],
    ['with a user', chain(begin, [cpicTags.user, '5500'], name)],
    ['with a client behind the name', chain(begin, name, [cpicTags.client, '31003000'], [cpicTags.parameters, ''])],
    ['with a password behind the parameters', chain(begin, name, [cpicTags.parameters, ''], [cpicTags.password, '00000000'])],
    ['that begins like a reply', chain([cpicTags.reply, ''], name)],
    ['that begins like an answer to a logon', chain([cpicTags.start, '0101010504010003'], name)],
    ['that begins like a logon without its signature', chain([cpicTags.start, '0301010101010000'], name)],
    ['that is cut off in the name', call.subarray(0, 40)],
    ['that is cut off before the parameters', call.subarray(0, 54)],
    ['with a wrong tag behind a field', Buffer.concat([call.subarray(0, 4), bytes('0503'), call.subarray(6)])],
    ['with bytes behind its end', Buffer.concat([call, Buffer.alloc(1)])],
    ['with another request behind its end', Buffer.concat([call, call])],
  ])('is refused in a request %s', (_title, data) => {
    expect(isRefused(readRequestedFunction(data, whole))).toBe(true)
  })

  it('is refused when the first slice does not reach the parameters or splits the name', () => {
    for (let length = 0; length < 58; length += 1)
      expect(isRefused(readRequestedFunction(call.subarray(0, length), firstOfMany))).toBe(true)
  })

  it('is the one that was rendered, whatever the parameters are', () => {
    const functionName = fc.stringMatching(/^[!-~]{1,30}$/)
    const value = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array))
    fc.assert(
      fc.property(functionName, value, fc.boolean(), (asked, data, isWhole) => {
        const request = formatCallRequest({
          release: '754',
          functionName: asked,
          wantedOutputs: ['X'],
          inputs: [{ kind: 'value', name: 'P', value: data }],
        })
        expect(readRequestedFunction(request, { encoding: 'utf16le', whole: isWhole })).toEqual({ functionName: asked, logon: false })
      }),
      { numRuns: 2000 },
    )
  })

  it('is known for infrastructure, logon and shipping', () => {
    expect(infrastructureFunctions.has('RFC_GET_FUNCTION_INTERFACE')).toBe(true)
    expect(infrastructureFunctions.has('RFC_SYSTEM_INFO')).toBe(false)
    expect([...logonFunctions]).toEqual(['RFCPING', 'RFC_PING'])
    expect(shippingFunctions.size).toBe(6)
    expect(relayedAppcFunctions.has(0xcf)).toBe(false)
  })
})

describe('rewriting', () => {
  const virtual = { host: 'virtual.example', systemNumber: '00', rootContextId: '0'.repeat(16), connectionId: '1'.repeat(16), osUser: 'me' }
  const internal = { host: 'erp01.internal.example', systemNumber: '42' }
  const initialize = formatAppcRecord(initializeRecord(virtual))

  it('of the connect record changes nothing but address and host', () => {
    const client = formatGatewayConnect({ ...clientGatewayConnect({ program: 'node', hostName: 'laptop' }), ipv4: bytes('0a000001') })
    const expected = Buffer.from(client)
    expected.fill(0, 2, 6)
    expected.write('connecto', 30)
    expect(rewriteGatewayConnect(client, { hostName: 'connector.example' })).toEqual(expected)
  })

  it('of INITIALIZE leads to the internal host and system, in every place', () => {
    const rewritten = rewriteInitialize(initialize, internal, { strict: true })
    const expected = formatAppcRecord(initializeRecord({ ...virtual, ...internal }))
    expect(rewritten).toEqual(expected)
    expect((rewritten as Buffer).toString('latin1')).not.toMatch(/virtual|sapdp00/)
  })

  it('of INITIALIZE of another length changes the short names, unless that is refused', () => {
    const other = shortened(initialize, 40)
    expect(isRefused(rewriteInitialize(other, internal, { strict: true }))).toBe(true)
    const rewritten = rewriteInitialize(other, internal, { strict: false }) as Buffer
    expect(rewritten.toString('latin1', 56, 72)).toBe('erp01.insapdp42 ')
    expect(rewritten.subarray(80)).toEqual(other.subarray(80))
    expect(isRefused(rewriteInitialize(shortened(initialize, 31), internal, { strict: false }))).toBe(true)
  })

  it('of SET_PARTNER_LU_NAME leads to the internal host', () => {
    const rewritten = rewritePartner(formatAppcRecord(partnerRecord(virtual.host, conversation)), internal)
    expect(rewritten).toEqual(formatAppcRecord(partnerRecord(internal.host, conversation)))
  })

  it('of the reply to INITIALIZE shows the names that the client had asked for', () => {
    const inside = parseAppcRecord(formatAppcRecord(initializeRecord({ ...virtual, ...internal }))) as AppcRecord
    const reply = formatAppcRecord(initializeReply(inside, conversation))
    const rewritten = rewriteInitializeReply(reply, initialize) as Buffer
    expect(rewritten.toString('latin1', 56, 72)).toBe('virtual.sapdp00 ')
    expect([rewritten.subarray(0, 56), rewritten.subarray(72)]).toEqual([reply.subarray(0, 56), reply.subarray(72)])
  })

  it('refuses records of other functions and lengths', () => {
    const partner = formatAppcRecord(partnerRecord(virtual.host, conversation))
    expect(isRefused(rewriteInitialize(partner, internal, { strict: true }))).toBe(true)
    expect(isRefused(rewritePartner(initialize, internal))).toBe(true)
    expect(isRefused(rewriteInitializeReply(partner, initialize))).toBe(true)
    expect(isRefused(rewriteInitializeReply(initialize, partner))).toBe(true)
    expect(isRefused(rewritePartner(partner.subarray(0, -1), internal))).toBe(true)
    expect(isRefused(rewriteGatewayConnect(initialize, { hostName: 'h' }))).toBe(true)
  })

  it('takes no target that does not fit', () => {
    for (const wrong of [{ host: '' }, { host: 'x'.repeat(129) }, { systemNumber: '4' }]) {
      expect(() => rewriteInitialize(initialize, { ...internal, ...wrong }, { strict: true })).toThrow(TypeError)
    }
  })
})

describe('a denial', () => {
  const text = functionDenialText('STFC_CONNECTION', 'erp', 'sapgw42')

  it('of a call has the bytes of the specification', () => {
    const data = bytes(
      `0500 0000 0500 0402 ${(text.length * 2).toString(16).padStart(4, '0')} ${utf16(text).toString('hex')} 0402 ffff 0000 ffff`,
    )
    const length = data.length.toString(16).padStart(8, '0')
    const expected = bytes(`
      06 cb 02 00 ffff 0000 0000 00 00 00010000 01 ffffffff 02 00000005 0000 0000 01 08 00000012 00000000
      ${Buffer.from('75568442').toString('hex')} ${length === '' ? '' : '00006d60'} 00000002 ${length} 00000000 ${'00'.repeat(5)} 34313033 ${'00'.repeat(3)} 0000 0001`)
    const record = denialRecord({ conversation, sequenceNumber: 5, logon: false, text })
    expect(formatAppcRecord(record)).toEqual(Buffer.concat([expected, data]))
    const read = parseChain(record.body)
    expect(isRefused(read) ? read : readCallReply(read, 'utf16le')).toEqual({ kind: 'error', error: { errorText: text } })
  })

  it('of a logon is read as a refused logon', () => {
    const record = denialRecord({ conversation, sequenceNumber: 1, logon: true, text: 'Access denied' })
    expect(record.body).toEqual(
      bytes(`0101 0008 0101010101010000 0101 0103 0004 00000e0b 0103 0106 000b 0401000300030200000023 0106
        0500 0000 0500 0402 000d ${Buffer.from('Access denied').toString('hex')} 0402 ffff 0000 ffff`),
    )
    const read = parseChain(record.body)
    expect(isRefused(read) ? read : readLogonAnswer(read, 'utf16le')).toEqual({ accepted: false, error: { errorText: 'Access denied' } })
  })

  it('says what was denied, on what, and what to do', () => {
    expect(text).toBe(
      'Access denied for STFC_CONNECTION on erp:sapgw42. Expose the function module in your Cloud Connector in case it was a valid request.',
    )
    expect(() => denialRecord({ conversation, sequenceNumber: 1, logon: false, text: 'x'.repeat(14_000) })).toThrow(TypeError)
  })
})

describe('SNC frames', () => {
  const frame = bytes(`534e434652414d45 02 06 0018 00000003 00000002 0001 0000 aabbcc dddd`)

  it('are recognised by their first bytes', () => {
    expect(isSncFrame(frame)).toBe(true)
    expect(isSncFrame(Buffer.from('SNCFRAMF'))).toBe(false)
    expect(isSncFrame(Buffer.from('SNC'))).toBe(false)
  })

  it('are read, extension headers skipped', () => {
    expect(parseSncFrame(frame)).toEqual({ type: 2, version: 6, tokenBytes: 3, dataBytes: 2, mechanism: 1, flags: 0 })
    const extended = Buffer.concat([frame.subarray(0, 24), Buffer.alloc(4), frame.subarray(24)])
    extended[11] = 28
    expect(parseSncFrame(extended)).toMatchObject({ tokenBytes: 3, dataBytes: 2 })
  })

  it.each([
    ['version', 9, '07'],
    ['header length', 11, '17'],
    ['token length', 12, 'ffffffff'],
    ['data length', 19, '03'],
  ])('with another %s are refused', (_what, at, hex) => {
    const payload = Buffer.from(frame)
    payload.write(hex, at, 'hex')
    expect(isRefused(parseSncFrame(payload))).toBe(true)
  })
})

function chain(...fields: readonly (readonly [number, string])[]): Buffer {
  return formatChain(
    fields.map(([tag, hex]) => ({ tag, value: Buffer.from(hex, 'hex') })),
    { logon: false },
  )
}

function shortened(payload: Buffer, parameterBytes: number): Buffer {
  const copy = Buffer.from(payload.subarray(0, 80 + parameterBytes))
  copy.writeUInt16BE(parameterBytes, 26)
  return copy
}
