import { describe, expect, it } from 'vitest'
import { scriptedDestination } from '../conformance/scripted-binding.ts'
import { serverAddress } from './server-address.ts'

describe('the address of a server', () => {
  it.each([
    [{}, { host: 'erp.virtual', port: 3342, service: 'sapgw42' }],
    [{ 'jco.client.sysnr': '00' }, { host: 'erp.virtual', port: 3300, service: 'sapgw00' }],
    [
      { 'jco.client.mshost': 'ms', 'jco.client.msserv': '3601' },
      { host: 'ms', port: 3601, service: '3601' },
    ],
    [
      { 'jco.client.mshost': 'ms', 'jco.client.r3name': 'ABC' },
      { host: 'ms', port: 3605, service: 'sapmsABC' },
    ],
    [
      { 'jco.client.wshost': 'ws', 'jco.client.wsport': '44300' },
      { host: 'ws', port: 44_300, service: '44300' },
    ],
  ])('of %j', (properties, expected) => {
    expect(serverAddress(scriptedDestination(properties), { sapmsABC: 3605 })).toEqual(expected)
  })

  it.each([{ 'jco.client.r3name': 'XYZ' }, { 'jco.client.msserv': 'sapmsXYZ' }])('PR-061 lacks a number with %j alone', (properties) => {
    expect(() => serverAddress(scriptedDestination({ 'jco.client.mshost': 'ms', ...properties }), { sapmsABC: 3605 })).toThrow(
      expect.objectContaining({ code: 'DESTINATION_INVALID', message: expect.stringContaining('jco.client.msserv') }),
    )
  })
})
