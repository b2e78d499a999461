import type { ConnectivityEvent } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { createEventLog } from './event-log.ts'
import { formatHops, hopsOf } from './hop-view.ts'

const target = { atMs: 1, correlationId: 'c', subaccount: 'demo', locationId: '', virtualHost: 's4.demo', virtualPort: 443 }
const denied: ConnectivityEvent = {
  ...target,
  type: 'access-decided',
  allowed: false,
  path: '/x',
  internalAddress: 'https://a:1',
  resource: undefined,
  exactMatchOnly: undefined,
  reason: 'no enabled resource admits the path',
  admitted: ['/sap (path and sub-paths)'],
}
const plain = { bad: (text: string) => text, dim: (text: string) => text }

describe('hop view', () => {
  it('orders the hops as the request meets them and marks the one that failed', () => {
    const hops = hopsOf([
      denied,
      { ...target, type: 'stream-opened', tunnelId: 't', streamId: 7, durationMs: 1 },
      { ...target, type: 'proxy-accepted', protocol: 'http', client: 'sb', durationMs: 1 },
    ])
    expect(hops.map((hop) => hop.name)).toEqual(['proxy', 'tunnel', 'access'])
    const text = formatHops(hops, plain)
    expect(text).toMatch(/3 access +✖ no enabled resource admits the path: \/x\n +admitted: \/sap/)
    expect(text).toContain('fix: sallyport resource add s4.demo:443 /x')
  })
  it('says what to add when the system itself is not exposed', () => {
    const [hop] = hopsOf([{ ...denied, internalAddress: undefined, reason: 'not exposed' }])
    expect(hop?.lines).toEqual(['not exposed', 'fix: sallyport mapping add s4.demo:443 <http://internal host:port>'])
  })
})

describe('event log', () => {
  it('keeps the newest facts and finds those of one request', () => {
    const log = createEventLog(3)
    for (let at = 0; at < 5; at++) log.emit({ ...denied, atMs: at, correlationId: at % 2 === 0 ? 'even' : 'odd' })
    expect(log.of('even').map((event) => event.atMs)).toEqual([2, 4])
    expect(log.recent(10)).toHaveLength(3)
  })
})
