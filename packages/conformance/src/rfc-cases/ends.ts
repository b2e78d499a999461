import { setTimeout as delay } from 'node:timers/promises'
import { formatNiFrame } from '@sallyport/rfc-wire'
import type { GatewayScript, ScriptedAnswer } from '../backends/abap-gateway/scripted-answer.ts'
import { expect } from '../expect.ts'
import { quietMs } from '../limits.ts'
import { within } from '../probe.ts'
import { encodeInputs } from './parameters.ts'
import { kindOf, openLoggedOn, playSystem, type RfcCase } from './rfc-case.ts'

export type EndCase =
  | 'does not pass half an answer off as a whole one'
  | 'is silent while the system is, and leaves it with the application'
  | 'tells that the system has gone between two calls'

/** Answers half of what it would, in the middle of a record. */
const halfOf =
  (end: ScriptedAnswer['end']): GatewayScript =>
  ({ step, payloads }) => {
    const [first, second] = payloads
    if (step !== 'call' || first === undefined || second === undefined) return undefined
    return { bytes: [formatNiFrame(first), formatNiFrame(second).subarray(0, 1000)], end }
  }

/** How calls end that no answer ends. */
export const endCases: Readonly<Record<EndCase, RfcCase>> = {
  'does not pass half an answer off as a whole one': {
    async run(context) {
      for (const end of ['close', 'reset'] as const) {
        const { address } = await playSystem(context, { script: halfOf(end) })
        const { caller } = await openLoggedOn(context, address)
        const outcome = await caller.call('Z_VOLUME', encodeInputs('Z_VOLUME', { ROWS_BACK: 100 }), ['ROWS'])
        expect(kindOf(outcome), `the call whose answer ends with a ${end}`).toBe('closed')
      }
    },
  },
  'is silent while the system is, and leaves it with the application': {
    async run(context) {
      const script: GatewayScript = ({ step }) => (step === 'call' ? { bytes: [], end: 'silence' } : undefined)
      const { address } = await playSystem(context, { script })
      const { caller, stream } = await openLoggedOn(context, address)
      const outcome = caller.call('Z_COUNT').then(kindOf)
      expect(await Promise.race([outcome, delay(quietMs, 'nothing')]), 'what comes').toBe('nothing')
      stream.destroy()
      expect(await outcome, 'the call').toBe('closed')
      await within(context.far.idle(), context.signal, 'the far side to be idle')
    },
  },
  'tells that the system has gone between two calls': {
    async run(context) {
      const { address, breakConnections } = await playSystem(context)
      const { caller } = await openLoggedOn(context, address)
      expect(kindOf(await caller.call('RFC_PING')), 'the first call').toBe('success')
      breakConnections()
      expect(await caller.next(), 'what comes').toBe(undefined)
    },
  },
}
