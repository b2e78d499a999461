import { describe, expect, it } from 'vitest'
import {
  allocateRecord,
  allocateReply,
  type AppcRecord,
  clientAppcRecord,
  deallocateRecord,
  formatAppcRecord,
  initializeRecord,
  initializeReply,
  isRefused,
  parseAppcRecord,
  parseInitializeInfo,
  parseInitializeParameters,
  parsePartnerInfo,
  parsePartnerParameters,
  partnerRecord,
  readInitializeReply,
} from './index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
const blank = (text: string, size: number): string => Buffer.from(text.padEnd(size, ' '), 'latin1').toString('hex')
const nul = (text: string, size: number): string => Buffer.from(text.padEnd(size, '\0'), 'latin1').toString('hex')
const zeros = (size: number): string => '00'.repeat(size)

const target = {
  host: 'erp.internal.example',
  systemNumber: '42',
  rootContextId: '0123456789ABCDEF',
  connectionId: 'FEDCBA9876543210',
  osUser: 'app',
}
const conversation = { conversationId: '75568442', connectionIndex: 1 }

/** The 80 bytes in front of the body, offset by offset as protocols.md 11.6 has them. */
function header(parts: {
  fn: string
  info2?: string
  info3?: string
  info4?: string
  params?: string
  info: string
  conversation: string
  op: string
}): string {
  return `
    06 ${parts.fn} 02 00 ffff 0000 0000 ${parts.info2 ?? '00'} 00 00000000
    ${parts.info3 ?? '00'} 00000000 ${parts.info4 ?? '00'} 00000000 ${parts.params ?? '0000'} 0000 ${parts.info} 00
    00000000 00000000 ${blank(parts.conversation, 8)} ${parts.op}`
}

describe('the set-up of a conversation', () => {
  const parameters = bytes(`
    ${blank('NWRFC', 32)} 01 01 4350494300000000
    ${blank('0123456789ABCDEF', 16)} ${blank('FEDCBA9876543210', 16)} 00000001 fffffffe fffffffe 02 00 00
    ${zeros(16)} ${nul('erp.internal.example', 128)} ${zeros(16)} ${blank('app', 12)} ${zeros(40)} ${zeros(4)} ${zeros(4)} ${nul('sapdp42', 64)}`)
  const initialize = Buffer.concat([
    bytes(
      header({
        fn: '01',
        info2: '01',
        info3: 'c0',
        info4: '04',
        params: '0175',
        info: '05',
        conversation: '',
        op: `${blank('NWRFC', 8)} ${blank('erp.inte', 8)} ${blank('sapdp42', 8)} 49 01 0000 0000 ffff`,
      }),
    ),
    parameters,
  ])

  it('PR-082 begins with INITIALIZE parameters of 373 bytes, with fields at the offsets of the specification', () => {
    expect(parameters).toHaveLength(373)
    const rendered = formatAppcRecord(initializeRecord(target))
    expect(rendered.subarray(80)).toEqual(parameters)
    expect(rendered).toEqual(initialize)
    expect(rendered.toString('latin1', 80 + 105, 80 + 125)).toBe('erp.internal.example')
    expect(rendered.toString('latin1', 80 + 309, 80 + 316)).toBe('sapdp42')
  })

  it('is read as it is rendered', () => {
    const record = parsed(initialize)
    expect(parseInitializeInfo(record.operationInfo)).toMatchObject({
      logicalUnit: 'erp.inte',
      transactionProgram: 'sapdp42',
      connectionIndex: 0xffff,
    })
    expect(parseInitializeParameters(record.body)).toMatchObject({
      logicalUnit: 'erp.internal.example',
      osUser: 'app',
      timeout: -2,
      keepAlive: -2,
    })
    expect(formatAppcRecord(record)).toEqual(initialize)
  })

  it('assigns a conversation and an index with 80 bytes', () => {
    const reply = formatAppcRecord(initializeReply(parsed(initialize), conversation))
    const expected = bytes(
      header({
        fn: '01',
        info2: '01',
        info3: 'c0',
        info4: '06',
        params: '0175',
        info: '05',
        conversation: '75568442',
        op: `${blank('NWRFC', 8)} ${blank('erp.inte', 8)} ${blank('sapdp42', 8)} 49 01 0000 0000 0001`,
      }),
    )
    expect(reply).toEqual(expected)
    expect(readInitializeReply(parsed(reply))).toEqual(conversation)
  })

  it('names the host in full with 144 bytes of parameters', () => {
    const expected = bytes(`
      ${header({ fn: '0f', info2: '01', params: '0090', info: '04', conversation: '75568442', op: `${blank('erp.inte', 8)} 00000014 ${zeros(16)} ffff 0001` })}
      ${blank('erp.internal.example', 128)} ${zeros(16)}`)
    const rendered = formatAppcRecord(partnerRecord('erp.internal.example', conversation))
    expect(rendered).toEqual(expected)
    const record = parsed(rendered)
    expect(parsePartnerInfo(record.operationInfo)).toMatchObject({ logicalUnit: 'erp.inte', logicalUnitBytes: 20, connectionIndex: 1 })
    expect(parsePartnerParameters(record.body)).toMatchObject({ logicalUnit: 'erp.internal.example' })
  })

  it('allocates and deallocates with 80 bytes', () => {
    const op = `${zeros(28)} ffff 0001`
    expect(formatAppcRecord(allocateRecord(conversation))).toEqual(bytes(header({ fn: '05', info: '01', conversation: '75568442', op })))
    expect(formatAppcRecord(deallocateRecord(conversation))).toEqual(bytes(header({ fn: '0b', info: '01', conversation: '75568442', op })))
    const reply = `${zeros(21)} 34313033 ${zeros(3)} 0000 0001`
    expect(formatAppcRecord(allocateReply(conversation))).toEqual(
      bytes(header({ fn: '05', info3: '01', info4: '02', info: '01', conversation: '75568442', op: reply })),
    )
  })

  it('is over when the gateway answers with a return code, another function or no conversation', () => {
    const reply = initializeReply(parsed(initialize), conversation)
    expect(readInitializeReply({ ...reply, appcReturnCode: 20, sapReturnCode: 236 })).toEqual({
      refused: 'INITIALIZE: refused with return code 20/236',
    })
    expect(isRefused(readInitializeReply({ ...reply, function: 5 }))).toBe(true)
    expect(isRefused(readInitializeReply({ ...reply, conversationId: '' }))).toBe(true)
  })

  it.each([
    { host: '' },
    { host: 'x'.repeat(129) },
    { host: 'a\nb' },
    { systemNumber: '7' },
    { rootContextId: 'xyz' },
    { osUser: 'thirteen-long' },
  ])('is not rendered with %j', (wrong) => {
    expect(() => initializeRecord({ ...target, ...wrong })).toThrow(TypeError)
  })

  it.each([
    ['version', 0, '05'],
    ['protocol', 2, '01'],
    ['padding', 28, '01'],
    ['conversation', 40, '4142'],
  ])('refuses records of another %s', (_what, at, hex) => {
    const payload = Buffer.from(initialize)
    payload.write(hex, at, 'hex')
    expect(isRefused(parseAppcRecord(payload))).toBe(true)
  })

  it('refuses records shorter than 80 bytes and parameters of another length', () => {
    expect(isRefused(parseAppcRecord(initialize.subarray(0, 79)))).toBe(true)
    expect(isRefused(parseInitializeParameters(parameters.subarray(1)))).toBe(true)
    expect(isRefused(parseInitializeParameters(Buffer.concat([parameters, Buffer.alloc(1)])))).toBe(true)
    expect(isRefused(parsePartnerParameters(Buffer.alloc(143)))).toBe(true)
  })

  it('never renders a field that does not fit', () => {
    expect(() => formatAppcRecord(clientAppcRecord({ function: 256 }))).toThrow(TypeError)
    expect(() => formatAppcRecord(clientAppcRecord({ function: 1, timeout: 2 ** 31 }))).toThrow(TypeError)
    expect(() => formatAppcRecord(clientAppcRecord({ function: 1, conversationId: 'abc' }))).toThrow(TypeError)
    expect(() => formatAppcRecord(clientAppcRecord({ function: 1, operationInfo: Buffer.alloc(31) }))).toThrow(TypeError)
  })
})

function parsed(payload: Buffer): AppcRecord {
  const record = parseAppcRecord(payload)
  if (isRefused(record)) throw new Error(record.refused)
  return record
}
