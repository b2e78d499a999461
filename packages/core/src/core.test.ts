import { once } from 'node:events'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  ConnectivityError,
  createSecret,
  formatAddress,
  type HttpDestination,
  parseAddress,
  parseDestination,
  trackSockets,
  tryParseAddress,
  underSignal,
} from './index.ts'

describe('errors', () => {
  it('recognises an error made by another copy of the package', async () => {
    const copy = (await import(`${new URL('errors.ts', import.meta.url).href}?copy`)) as typeof import('./errors.ts')
    const error = new copy.ConnectivityError('ACCESS_DENIED', 'no resource admits /x')
    expect(error instanceof ConnectivityError).toBe(false)
    expect(ConnectivityError.is(error)).toBe(true)
    expect(ConnectivityError.is(error, 'ACCESS_DENIED')).toBe(true)
    expect(ConnectivityError.is(error, 'ABORTED')).toBe(false)
    expect(ConnectivityError.is(new Error('x'))).toBe(false)
  })
})

describe('sockets of a server', () => {
  it('survives every connection that could not be accepted', async () => {
    const server = createServer()
    const heard: string[] = []
    const sockets = trackSockets(server, (error) => void heard.push(error.message))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    for (const message of ['accept ENFILE', 'accept ENOMEM']) server.emit('error', new Error(message))
    expect(heard).toEqual(['accept ENFILE', 'accept ENOMEM'])
    server.close()
    sockets.destroyAll()
    await once(server, 'close')
  })
})

describe('secrets', () => {
  it('shows nothing when printed, serialised, concatenated or inspected', () => {
    const secret = createSecret('p4ss')
    const shown = [String(secret), JSON.stringify({ secret }), `${secret}`, inspect({ secret })].join(' ')
    expect(shown).not.toContain('p4ss')
    expect(secret.reveal()).toBe('p4ss')
  })
})

describe('waiting under a signal', () => {
  it('ends with the signal when the work does not, and listens no longer than the work', async () => {
    const controller = new AbortController()
    const waiting = underSignal(new Promise(() => {}), controller.signal, 'read the answer')
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', message: 'read the answer: aborted by the caller' })
    await expect(underSignal(new Promise(() => {}), controller.signal, 'x')).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(underSignal(new Promise(() => {}), AbortSignal.timeout(1), 'x')).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await expect(underSignal(Promise.resolve(7), new AbortController().signal, 'x')).resolves.toBe(7)
    await expect(underSignal(Promise.reject(new Error('own')), new AbortController().signal, 'x')).rejects.toThrow('own')
  })
})

describe('addresses', () => {
  it.each(['erp.example.org:443', '10.0.0.1:80', '[::1]:8080', 'under_score:1'])('reads and renders %s', (text) => {
    expect(formatAddress(parseAddress(text))).toBe(text)
  })
  it.each(['', ':80', 'host', 'host:0', 'host:65536', 'ho st:80', 'host:80x', '::1:80', 'a@b:80', 'host:', 'x/y:80'])(
    'refuses "%s"',
    (text) => {
      expect(tryParseAddress(text)).toBeUndefined()
    },
  )
})

describe('destinations', () => {
  it('names the property that is wrong', () => {
    expect(() => parseDestination({ Name: 'A', Type: 'HTTP', URL: 'no url' })).toThrow(/destination "A": URL/)
    expect(() => parseDestination({ Name: 'A', Type: 'TCP', Address: 'host' })).toThrow(/Address/)
    expect(() => parseDestination({ Name: 'A', Type: 'HTTP', URL: 'http://x', ProxyType: 'Elsewhere' })).toThrow(/ProxyType/)
    expect(() => parseDestination({ Name: 'A', Type: 'GOPHER' })).toThrow(/no adapter/)
  })
  it('takes no user or password out of a URL, and does not show them', () => {
    for (const authority of ['jane@erp', 'jane:s3cret@erp', ':s3cret@erp']) {
      const properties = { Name: 'A', Type: 'HTTP', URL: `https://${authority}/path` }
      expect(() => parseDestination(properties)).toThrow(/destination "A": URL carries a user or password; .* properties User and Password/)
      expect(() => parseDestination(properties)).not.toThrow(/jane|s3cret/)
    }
  })
  it('collects headers and queries of any name', () => {
    const properties = { Name: 'A', Type: 'HTTP', URL: 'http://x', 'URL.headers.__proto__': 'p', 'URL.queries.constructor': 'c' }
    const { headers, queries } = parseDestination(properties) as HttpDestination
    expect(Object.entries(headers)).toEqual([['__proto__', 'p']])
    expect(Object.entries(queries)).toEqual([['constructor', 'c']])
  })
  it('collects headers and queries that clients add', () => {
    const destination = parseDestination({
      Name: 'A',
      Type: 'HTTP',
      URL: 'http://x',
      'URL.headers.apikey': 'k',
      'URL.queries.sap-client': '100',
    })
    expect(destination).toMatchObject({ type: 'HTTP', locationId: '', headers: { apikey: 'k' }, queries: { 'sap-client': '100' } })
  })
})
