import type { AuditEntry, IncomingTunnelStream, TunnelStream, TunnelStreamHandlers } from '@sallyport/core'
import { silentLogger } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import type { ChannelOpening } from '@sallyport/tunnel'
import { describe, expect, it } from 'vitest'
import { refusedChannelLingerMs } from '../limits.ts'
import { createChannelHost } from './channel-host.ts'
import { createServiceMappings } from './service-mapping.ts'

const opening: ChannelOpening = { kind: 'channel', serviceType: 'TCP', serviceId: 'x', correlationId: 'c', timeoutMs: 1_000 }
const from = (connectorId: string) => ({ tunnelId: `account:///${connectorId}`, subaccount: connectorId, locationId: '', connectorId })

/** A stream of a connector that never closes it by itself. */
function stubbornStream(): { readonly incoming: IncomingTunnelStream; readonly seen: string[] } {
  const seen: string[] = []
  let handlers: TunnelStreamHandlers | undefined
  const stream = {
    sendMessage: (message: Buffer) => seen.push(message.toString()) > 0,
    end: () => void seen.push('end'),
    reset(code: 'refused') {
      seen.push(`reset ${code}`)
      handlers?.onClose({ kind: 'reset', by: 'local', code })
    },
  } as unknown as TunnelStream
  const incoming: IncomingTunnelStream = {
    opening: Buffer.alloc(0),
    accept(given) {
      handlers = given
      return stream
    },
    refuse: () => void seen.push('refuse'),
  }
  return { incoming, seen }
}

const maxStreams = 5

describe('streams of connectors', () => {
  it('are bounded for each connector, also while they are only refused, and those that stay are reset', () => {
    const clock = createManualClock()
    const entries: AuditEntry[] = []
    const audit = { failing: false, write: (entry: AuditEntry) => void entries.push(entry), flushed: () => Promise.resolve() }
    const host = createChannelHost({ mappings: createServiceMappings([], []), maxStreams, audit, clock, log: silentLogger })
    const first = stubbornStream()
    host.serve(first.incoming, opening, from('one'))
    for (let at = 1; at < maxStreams; at++) host.serve(stubbornStream().incoming, opening, from('one'))
    const beyond = stubbornStream()
    host.serve(beyond.incoming, opening, from('one'))
    expect(beyond.seen).toEqual(['refuse'])
    const other = stubbornStream()
    host.serve(other.incoming, opening, from('two'))
    expect(other.seen).toEqual([expect.stringContaining('ACCESS_DENIED'), 'end'])
    expect(host.openStreams).toBe(maxStreams + 1)
    // One line for each kind of refusal of a subaccount, however many there were.
    expect(entries.map(({ subaccount }) => subaccount)).toEqual(['one', 'one', 'two'])
    clock.advance(refusedChannelLingerMs)
    expect(first.seen.at(-1)).toBe('reset refused')
    expect(host.openStreams).toBe(0)
  })
})
