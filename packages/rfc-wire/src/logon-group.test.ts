import { describe, expect, it } from 'vitest'
import {
  formatLogonGroupReply,
  formatLogonGroupRequest,
  formatMessageServerLogin,
  formatMessageServerLogout,
  formatMessageServerMessage,
  gatewayPortDistance,
  isRefused,
  parseLogonGroupReply,
  parseLogonGroupRequest,
  parseMessageServerMessage,
  readLoginAnswer,
} from './index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
const padded = (text: string, size: number, fill: string): string => Buffer.from(text.padEnd(size, fill), 'latin1').toString('hex')
const header = (to: string, from: string, flags: string): string =>
  `2a2a4d4553534147452a2a00 04 00 ${padded(to, 40, ' ')} 00 00 00 00 0000000000000000 ${flags} ${padded(from, 40, ' ')} 0000`

describe('messages of a message server', () => {
  it('have the header of the specification', () => {
    expect(formatMessageServerLogin()).toEqual(bytes(header('-', '-', '02 08')))
    expect(formatMessageServerLogout()).toEqual(bytes(header('-', '-', '00 04')))
    expect(formatMessageServerLogin()).toHaveLength(110)
  })

  it('let a client go on after the login, unless they carry an error or come from somebody else', () => {
    const answer = parseMessageServerMessage(bytes(header('-', 'MSG_SERVER', '02 08')))
    if (isRefused(answer)) throw new Error(answer.refused)
    expect(readLoginAnswer(answer)).toEqual({ accepted: true })
    expect(readLoginAnswer({ ...answer, errorNumber: 9 })).toEqual({ refused: 'message server: login answered with error 9' })
    expect(isRefused(readLoginAnswer({ ...answer, fromName: 'OTHER' }))).toBe(true)
  })

  it.each([
    ['eyecatcher', 0],
    ['version', 12],
  ])('with another %s are refused', (_what, at) => {
    const payload = formatMessageServerLogin()
    payload[at] = 0x7f
    expect(isRefused(parseMessageServerMessage(payload))).toBe(true)
    expect(isRefused(parseMessageServerMessage(formatMessageServerLogin().subarray(0, 109)))).toBe(true)
  })
})

describe('the look-up of a logon group', () => {
  const request = bytes(
    `${header('MSG_SERVER', '-', '02 01')} 2c 00 01 00 ${'00'.repeat(40)} 0000002c ${padded('PUBLIC', 40, '\0')} 01 00 0000 0034 0000`,
  )
  const reply = bytes(
    `${header('-', 'MSG_SERVER', '03 01')} 2c 00 01 03 ${'00'.repeat(40)} 0000002c ${padded('PUBLIC', 40, '\0')} 01 00 0000 0c80 0009 ${padded('app01.erp', 9, '')} 20`,
  )

  it('asks with 206 bytes', () => {
    expect(formatLogonGroupRequest('PUBLIC')).toEqual(request)
    expect(request).toHaveLength(206)
    expect(parseLogonGroupRequest(request)).toEqual({ group: 'PUBLIC' })
  })

  it('is understood with either length of the name block', () => {
    const other = Buffer.from(request)
    other.writeUInt32BE(10, 154)
    expect(parseLogonGroupRequest(other)).toEqual({ group: 'PUBLIC' })
    other.writeUInt32BE(11, 154)
    expect(isRefused(parseLogonGroupRequest(other))).toBe(true)
  })

  it('yields host and port of the dispatcher, whose gateway is 100 ports on', () => {
    const answer = { known: true, group: 'PUBLIC', host: 'app01.erp', dispatcherPort: 3200 } as const
    expect(parseLogonGroupReply(reply)).toEqual(answer)
    expect(formatLogonGroupReply(answer)).toEqual(reply)
    expect([3200 + gatewayPortDistance.plain, 3200 + gatewayPortDistance.snc]).toEqual([3300, 4800])
  })

  it('yields that a group is not known, by status or by the lack of a host', () => {
    const unknown = { known: false, group: 'NOGROUP', status: 3 } as const
    expect(parseLogonGroupReply(formatLogonGroupReply(unknown))).toEqual(unknown)
    expect(parseLogonGroupReply(formatLogonGroupReply({ ...unknown, status: 0 }))).toEqual({ ...unknown, status: 0 })
  })

  it.each([
    ['opcode', 110, '2d'],
    ['charset', 113, '00'],
    ['flag', 66, '02'],
    ['error number', 13, '01'],
    ['length of the host', 204, '0008'],
    ['host that is not printable', 206, '0a'],
    ['port', 202, '0000'],
    ['end', 215, '00'],
  ])('refuses an answer with another %s', (_what, at, hex) => {
    const payload = Buffer.from(reply)
    payload.write(hex, at, 'hex')
    expect(isRefused(parseLogonGroupReply(payload))).toBe(true)
  })

  it('takes only names that fit', () => {
    for (const group of ['', 'x'.repeat(41), 'a\0b', 'blank ']) expect(() => formatLogonGroupRequest(group)).toThrow(TypeError)
    expect(() =>
      formatMessageServerMessage({ errorNumber: 256, toName: '', fromName: '', flag: 0, interfaceFlag: 0, body: Buffer.alloc(0) }),
    ).toThrow(TypeError)
  })
})
