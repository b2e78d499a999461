import { ConnectivityError } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { formatTokenMessage, measureReply } from './socks-messages.ts'

const code = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return ConnectivityError.is(error) ? error.code : error
  }
}

describe('the token message', () => {
  it('has the bytes of the documented example', () => {
    const message = formatTokenMessage('abc', 'orlando', 'x')
    expect(message.toString('hex')).toBe('01000000036162630c62334a735957356b62773d3d')
  })
  it('ends after a zero for the connector without location ID', () => {
    expect(formatTokenMessage('abc', '', 'x').toString('hex')).toBe('010000000361626300')
  })
  it('encodes the UTF-8 of a location ID', () => {
    const message = formatTokenMessage('t', 'Größe', 'x')
    expect(Buffer.from(message.subarray(7).toString('latin1'), 'base64').toString('utf8')).toBe('Größe')
    expect(message[6]).toBe(message.length - 7)
  })
  it('takes a location ID of 189 bytes and refuses 190', () => {
    expect(formatTokenMessage('t', 'l'.repeat(189), 'x')[6]).toBe(252)
    expect(code(() => formatTokenMessage('t', 'l'.repeat(190), 'x'))).toBe('MESSAGE_INVALID')
    expect(code(() => formatTokenMessage('t', 'ö'.repeat(95), 'x'))).toBe('MESSAGE_INVALID')
  })
  it.each(['', 'two words', 'line\nbreak', 'schlüssel', 't'.repeat(65_537)])('refuses a token that cannot be one (%#)', (token) => {
    expect(code(() => formatTokenMessage(token, '', 'x'))).toBe('TOKEN_INVALID')
  })
})

describe('the length of a reply', () => {
  it.each([
    ['05', undefined],
    ['0500', undefined],
    ['05000001', undefined],
    ['0500000100', 10],
    ['050000030b', 18],
    ['0500000300', 7],
    ['0500000400', 22],
    ['0500000500', 5],
    ['0502', 2],
    ['05020001000000000000', 2],
  ])('%s -> %s', (hex, length) => {
    expect(measureReply(Buffer.from(hex, 'hex'))).toBe(length)
  })
})
