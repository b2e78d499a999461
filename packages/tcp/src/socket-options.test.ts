import { parseDestination, type TcpDestination } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { parseSocketOptions } from './socket-options.ts'

const parse = (properties: Readonly<Record<string, string>>): ReturnType<typeof parseSocketOptions> =>
  parseSocketOptions(parseDestination({ Name: 'A', Type: 'TCP', Address: 'h:1', ...properties }) as TcpDestination)

describe('socket options', () => {
  it('are off when nothing is set', () => {
    expect(parse({ 'tcp.nodelay': '' })).toEqual({ noDelay: undefined, keepAlive: undefined, idleMs: undefined, ignored: [] })
  })
  it('are read whatever the case of their value', () => {
    expect(parse({ 'tcp.nodelay': 'TRUE', 'tcp.socket.keepalive': 'False', 'tcp.socket.timeout': '30000' })).toMatchObject({
      noDelay: true,
      keepAlive: false,
      idleMs: 30_000,
    })
  })
  it('that Node cannot set are valid and named', () => {
    const properties = { 'tcp.socket.sndbuf': '65536', 'tcp.socket.rcvbuf': '0', 'tcp.socket.linger': '-1', 'tcp.socket.reuseaddr': 'true' }
    expect(parse(properties).ignored).toEqual(Object.keys(properties))
  })
  it.each([
    ['tcp.nodelay', 'yes'],
    ['tcp.socket.keepalive', '1'],
    ['tcp.socket.timeout', '-1'],
    ['tcp.socket.timeout', '1.5'],
    ['tcp.socket.timeout', '99999999999'],
    ['tcp.socket.timeout', '10 s'],
    ['tcp.socket.linger', '-2'],
    ['tcp.socket.sndbuf', 'x'],
    ['tcp.socket.reuseaddr', 'on'],
  ])('with a value that is none are refused by name: %s=%s', (property, value) => {
    expect(() => parse({ [property]: value })).toThrow(property)
  })
})
