import { maxStreamMessageBytes, type StreamResetCode, streamResetCodes, type TunnelConnection } from '@sallyport/core'
import { expect } from '../expect.ts'
import { within } from '../probe.ts'
import { accepting, codeOfThrown, open, roundTrips } from './driven-streams.ts'
import type { TransportCase } from './transport-case.ts'

export type StreamEndCase =
  | 'refuses a stream that nobody takes'
  | 'tells the peer why a stream is reset, and nothing more'
  | 'resets a stream whose handler throws'
  | 'refuses openings and messages that are too large'

/** Streams that do not come about, or end before their time. */
export const streamEndCases: Readonly<Record<StreamEndCase, TransportCase>> = {
  'refuses a stream that nobody takes': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const handlers: readonly TunnelConnection['onStream'][] = [undefined, () => {}, (incoming) => incoming.refuse()]
      for (const onStream of handlers) {
        far.onStream = onStream
        const probe = open(near)
        expect(await within(probe.closed, signal, 'the refusal')).toEqual({ kind: 'reset', by: 'peer', code: 'refused' })
      }
      expect(far.openStreams).toBe(0)
    },
  },
  'tells the peer why a stream is reset, and nothing more': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      for (const code of Object.keys(streamResetCodes) as StreamResetCode[]) {
        const { probe: there, begun } = accepting(far)
        const here = open(near)
        await within(begun, signal, 'the stream to arrive')
        there.stream?.write(Buffer.from('on its way'))
        here.stream?.reset(code)
        here.stream?.reset('cancelled')
        expect(await within(there.closed, signal, 'the reset')).toEqual({ kind: 'reset', by: 'peer', code })
        expect(await within(here.closed, signal, 'our own close')).toEqual({ kind: 'reset', by: 'local', code })
        await roundTrips(near, far, signal)
        expect(here.events).toEqual(['close'])
        expect(there.events).toEqual(['close'])
      }
    },
  },
  'resets a stream whose handler throws': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there } = accepting(far, {
        onData() {
          throw new Error('a fault of the owner')
        },
      })
      const here = open(near)
      here.stream?.write(Buffer.from('x'))
      expect(await within(here.closed, signal, 'the reset')).toEqual({ kind: 'reset', by: 'peer', code: 'failed' })
      expect(await within(there.closed, signal, 'the reset at the owner')).toEqual({ kind: 'reset', by: 'local', code: 'failed' })
      await roundTrips(near, far, signal)
    },
  },
  'refuses openings and messages that are too large': {
    async run({ connect }) {
      const { near } = await connect()
      const tooLarge = Buffer.alloc(maxStreamMessageBytes + 1)
      expect(codeOfThrown(() => open(near, tooLarge))).toBe('MESSAGE_INVALID')
      expect(codeOfThrown(() => open(near).stream?.sendMessage(tooLarge))).toBe('MESSAGE_INVALID')
    },
  },
}
