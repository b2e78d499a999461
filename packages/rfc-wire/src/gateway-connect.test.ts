import { describe, expect, it } from 'vitest'
import {
  acceptedGatewayConnect,
  clientGatewayConnect,
  formatGatewayConnect,
  gatewayRequestTypes,
  isRefused,
  parseGatewayConnect,
} from './index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')

/** The example of protocols.md 11.5, its names in hexadecimal digits. */
const example = bytes(`
  02 03 7f000001 00000000 6e6f6465000000000000 31313030 0000000000 06
  617070686f737420 6e6f646520202020 2020202020202020 06 cb ffff 00000000 00 00`)

describe('gateway connect records', () => {
  it('of a client have the bytes of the specification', () => {
    const record = { ...clientGatewayConnect({ program: 'node', hostName: 'apphost' }), ipv4: bytes('7f000001') }
    expect(formatGatewayConnect(record)).toEqual(example)
    expect(parseGatewayConnect(example)).toEqual(record)
    expect(record.requestType).toBe(gatewayRequestTypes.normalClient)
  })

  it('of an accepting gateway differ in code page, level and accepted information', () => {
    const client = parseGatewayConnect(example)
    if (isRefused(client)) throw new Error(client.refused)
    const expected = Buffer.from(example)
    expected.write('4103', 20, 'latin1')
    expected[29] = 15
    expected[55] = 0xfb
    expect(formatGatewayConnect(acceptedGatewayConnect(client))).toEqual(expected)
  })

  it('of version 3 have an IPv6 address behind the index', () => {
    const address = bytes('20010db8000000000000000000000001')
    const payload = Buffer.concat([example.subarray(0, 58), address, example.subarray(58)])
    payload[0] = 3
    expect(payload).toHaveLength(80)
    const record = parseGatewayConnect(payload)
    if (isRefused(record)) throw new Error(record.refused)
    expect(record).toMatchObject({ version: 3, ipv6: address, index: -1, returnCode: 0 })
    expect(formatGatewayConnect(record)).toEqual(payload)
  })

  it('tell what a refusing gateway says', () => {
    const payload = Buffer.from(example)
    payload.writeUInt32BE(236, 58)
    expect(parseGatewayConnect(payload)).toMatchObject({ returnCode: 236 })
  })

  it('of other kinds are read, so that they can be refused by name', () => {
    for (const type of Object.values(gatewayRequestTypes)) {
      const payload = Buffer.from(example)
      payload[1] = type
      expect(parseGatewayConnect(payload)).toMatchObject({ requestType: type })
    }
  })

  it.each([
    ['version 1', 0, '01'],
    ['version 3 in 64 bytes', 0, '03'],
    ['a byte where there are none', 6, '01'],
    ['another byte where there are none', 28, '01'],
    ['a code page of letters', 20, '41'],
    ['a name with a control character', 30, '07'],
    ['a filler', 63, '01'],
  ])('with %s are refused', (_what, at, hex) => {
    const payload = Buffer.from(example)
    payload.write(hex, at, 'hex')
    expect(isRefused(parseGatewayConnect(payload))).toBe(true)
  })

  it('of any other length are refused', () => {
    for (const length of [0, 1, 57, 63]) expect(isRefused(parseGatewayConnect(example.subarray(0, length)))).toBe(true)
    expect(isRefused(parseGatewayConnect(Buffer.concat([example, Buffer.alloc(1)])))).toBe(true)
  })

  it('cut long names, as clients do', () => {
    const record = clientGatewayConnect({ program: 'a-long-program-name', hostName: 'host.example.com' })
    expect(record).toMatchObject({ service: 'a-long-pro', transactionProgram: 'a-long-p', logicalUnit: 'host.exa' })
  })
})
