import { describe, expect, it } from 'vitest'
import {
  type CpicChain,
  type CpicField,
  cpicTags,
  formatChain,
  formatLogonAcceptance,
  formatLogonRefusal,
  formatLogonRequest,
  isRefused,
  parseChain,
  readLogonAnswer,
  readLogonIdentity,
  unscramblePassword,
} from './index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
const ascii = (tag: string, text: string): string =>
  `${tag} ${text.length.toString(16).padStart(4, '0')} ${Buffer.from(text).toString('hex')} ${tag}`

const logon = {
  client: '001',
  user: 'DEVELOPER',
  password: 'secret',
  language: 'E',
  clientAddress: '127.0.0.1',
  hostName: 'apphost',
  program: 'node',
  release: '754',
  destination: 'ERP',
  sessionId: Buffer.alloc(16, 0xab),
  passwordSeed: 0x30054d96,
}

function whole(chain: Buffer): CpicChain {
  const read = parseChain(chain)
  if (isRefused(read)) throw new Error(read.refused)
  return read
}

describe('a logon', () => {
  it('has the order and the bytes of the specification', () => {
    expect(formatLogonRequest(logon)).toEqual(
      bytes(`d9c6c3f0f0f0f0f0f0f0f0f0
        0101 0008 0301010101010000 0101 0103 0004 00000e0b 0103 0106 000b 04010003000a0200000023 0106
        0514 0010 ${'ab'.repeat(16)} 0514 ${ascii('0114', '001')} ${ascii('0111', 'DEVELOPER')}
        0117 000a 964d0530b1c442787a77 0117 ${ascii('0115', 'E')} 0501 0001 01 0501 ${ascii('0007', '127.0.0.1')}
        ${ascii('0011', 'E')} ${ascii('0012', '754')} ${ascii('0013', '754')} ${ascii('0008', 'apphost')} ${ascii('0006', 'ERP')}
        ${ascii('0130', 'node')} 0502 0000 0502 ${ascii('000b', '754')} ${ascii('0102', 'RFCPING')} ffff 0000 ffff`),
    )
  })

  it('tells who logs on', () => {
    const identity = readLogonIdentity(whole(formatLogonRequest(logon)))
    expect(identity).toMatchObject({ client: '001', user: 'DEVELOPER', language: 'E', functionName: 'RFCPING', sessionId: logon.sessionId })
    if (isRefused(identity)) throw new Error(identity.refused)
    expect(unscramblePassword(identity.scrambledPassword ?? Buffer.alloc(0))).toBe('secret')
  })

  it('without a user tells that there is none', () => {
    const { fields } = whole(formatLogonRequest(logon))
    const without = formatChain(
      fields.filter(({ tag }) => tag !== cpicTags.user),
      { logon: true },
    )
    expect(readLogonIdentity(whole(without))).toMatchObject({ client: '001', user: undefined })
  })

  it.each(['client', 'user', 'password', 'functionName'] as const)('with two fields %s is refused', (name) => {
    const { fields } = whole(formatLogonRequest(logon))
    const twice = fields.flatMap((field) => (field.tag === cpicTags[name] ? [field, field] : [field]))
    expect(isRefused(readLogonIdentity(whole(formatChain(twice, { logon: true }))))).toBe(true)
  })

  it('without its signature is refused', () => {
    expect(isRefused(readLogonIdentity(whole(formatLogonRequest(logon).subarray(12))))).toBe(true)
  })

  it.each([
    { client: '1' },
    { user: '' },
    { user: 'THIRTEENCHARS' },
    { user: 'Ä' },
    { language: 'EN' },
    { password: '' },
    { sessionId: Buffer.alloc(15) },
  ])('with %j is not rendered', (wrong) => {
    expect(() => formatLogonRequest({ ...logon, ...wrong })).toThrow(TypeError)
  })
})

describe('the answer to a logon', () => {
  const field = (tag: number, hex: string): CpicField => ({ tag, value: bytes(hex) })
  const text = (tag: number, value: string, encoding: 'utf16le' | 'latin1' = 'utf16le'): CpicField => ({
    tag,
    value: Buffer.from(value, encoding),
  })
  const answer = (...fields: readonly CpicField[]): CpicChain => whole(formatChain(fields, { logon: false }))
  const accepted = field(cpicTags.start, '0101010504010003')
  const refused = field(cpicTags.start, '0101010101010000')
  const ok = [field(cpicTags.reply, ''), field(cpicTags.callStatus, '00000000')]

  it('is accepted when it says so, without an error and with states of 0', () => {
    const details = [text(cpicTags.systemId, 'A4H'), text(cpicTags.loggedOnUser, 'DEVELOPER   '), text(cpicTags.loggedOnClient, '001')]
    expect(readLogonAnswer(answer(accepted, field(cpicTags.logonStatus, '00'), ...details, ...ok), 'utf16le')).toEqual({
      accepted: true,
      systemId: 'A4H',
      user: 'DEVELOPER',
      client: '001',
    })
    expect(readLogonAnswer(answer(accepted, ...ok), 'utf16le')).toMatchObject({ accepted: true })
  })

  it('is a refusal with a text in ASCII', () => {
    const chain = answer(refused, field(cpicTags.reply, ''), text(cpicTags.errorText, 'Name or password is incorrect', 'latin1'))
    expect(readLogonAnswer(chain, 'utf16le')).toEqual({ accepted: false, error: { errorText: 'Name or password is incorrect' } })
  })

  it.each([
    ['a state of the logon', [accepted, field(cpicTags.logonStatus, '01'), ...ok]],
    ['a state of the call', [accepted, field(cpicTags.reply, ''), field(cpicTags.callStatus, '00000001')]],
    ['no state of the call', [accepted, field(cpicTags.reply, '')]],
    ['an error all the same', [accepted, ...ok, text(cpicTags.errorText, 'x')]],
    ['the beginning of a refusal', [refused, ...ok]],
    ['the beginning of a call', [...ok]],
  ])('is a refusal with %s', (_title, fields) => {
    expect(readLogonAnswer(answer(...fields), 'utf16le')).toMatchObject({ accepted: false })
  })

  it('is nothing when it begins like a request', () => {
    expect(isRefused(readLogonAnswer(answer(field(cpicTags.call, '')), 'utf16le'))).toBe(true)
  })

  const server = { systemId: 'A4H', instance: 'host_A4H_00', address: '10.0.0.7', release: '754' }
  const tagsOf = (chain: Buffer): readonly string[] => whole(chain).fields.map(({ tag }) => tag.toString(16).padStart(4, '0'))

  it('that lets in has the fields of the specification in their order, in UTF-16', () => {
    const chain = formatLogonAcceptance(server, { user: 'DEVELOPER', client: '001', language: 'E', sessionId: Buffer.alloc(16, 0xab) })
    expect(tagsOf(chain).join(' ')).toBe(
      '0101 0103 0106 0161 0016 0450 0007 0018 0008 0011 0013 0012 0130 0150 0151 0152 0500 0503 0514 0420 0512 0130',
    )
    expect(chain.subarray(0, 12)).toEqual(bytes('0101 0008 0101010504010003'))
    expect(readLogonAnswer(whole(chain), 'utf16le')).toEqual({ accepted: true, systemId: 'A4H', user: 'DEVELOPER', client: '001' })
  })

  it('that refuses is ASCII, and begins like a refusal', () => {
    const chain = formatLogonRefusal(server, 'Name or password is incorrect')
    expect(tagsOf(chain).join(' ')).toBe('0101 0103 0106 0161 0016 0450 0007 0018 0008 0011 0013 0012 0130 0500 0402')
    expect(chain.subarray(0, 12)).toEqual(bytes('0101 0008 0101010101010000'))
    expect(chain.includes('Name or password is incorrect')).toBe(true)
    expect(readLogonAnswer(whole(chain), 'utf16le')).toEqual({ accepted: false, error: { errorText: 'Name or password is incorrect' } })
  })
})
