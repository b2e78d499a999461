import { randomBytes } from 'node:crypto'
import { expect } from '../expect.ts'
import { within } from '../probe.ts'
import { accepting, bulkBytes, codeOfThrown, digest, open, writeAll } from './driven-streams.ts'
import type { TransportCase } from './transport-case.ts'

export type ConnectionEndCase = 'finishes open streams before it closes' | 'ends every stream when it is aborted'

/** What a closed or aborted connection does with its streams. */
export const connectionEndCases: Readonly<Record<ConnectionEndCase, TransportCase>> = {
  'finishes open streams before it closes': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there, begun } = accepting(far)
      const here = open(near)
      await within(begun, signal, 'the stream to arrive')
      let isClosed = false
      const closing = near.close().then(() => {
        isClosed = true
      })
      expect(codeOfThrown(() => open(near))).toBe('TUNNEL_LOST')
      const sent = randomBytes(bulkBytes)
      await within(writeAll(here, sent), signal, 'an open stream to go on while the connection drains')
      here.stream?.end()
      await within(there.ended, signal, 'the end of our side')
      expect(digest(there.received)).toBe(digest([sent]))
      expect(codeOfThrown(() => open(far))).toBe('TUNNEL_LOST')
      expect(isClosed).toBe(false)
      there.stream?.end()
      await within(closing, signal, 'the connection to close')
      expect(await within(near.closed, signal, 'the close reason')).toEqual({ kind: 'local' })
      expect(await within(far.closed, signal, 'the close reason of the peer')).toEqual({ kind: 'peer' })
    },
  },
  'ends every stream when it is aborted': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there, begun } = accepting(far)
      const here = open(near)
      await within(begun, signal, 'the stream to arrive')
      near.abort(new Error('enough'))
      expect(await within(here.closed, signal, 'our stream to end')).toEqual({ kind: 'lost' })
      expect(await within(there.closed, signal, 'the stream of the peer to end')).toEqual({ kind: 'lost' })
      const reason = await within(near.closed, signal, 'the close reason')
      expect(reason.kind === 'lost' && reason.error.message).toBe('enough')
      expect((await within(far.closed, signal, 'the peer to notice')).kind).toBe('lost')
      expect(codeOfThrown(() => open(near))).toBe('TUNNEL_LOST')
    },
  },
}
