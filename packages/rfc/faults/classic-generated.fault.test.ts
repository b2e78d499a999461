import { ConnectivityError } from '@sallyport/core'
import { formatNiFrame } from '@sallyport/rfc-wire'
import { createAbapGateway } from '@sallyport/conformance/backends'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClassicClient } from '../conformance/classic-system.ts'

/** Where bytes of an answer are changed: which answer, at what part of its length, to what. */
interface Damage {
  readonly step: number
  readonly at: number
  readonly bytes: Uint8Array
  readonly kind: 'overwrite' | 'insert' | 'cut'
}

const damages: fc.Arbitrary<Damage> = fc.record({
  step: fc.integer({ min: 0, max: 5 }),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
  kind: fc.constantFrom('overwrite', 'insert', 'cut'),
})

function damaged(payload: Buffer, { at, bytes, kind }: Damage): Buffer {
  const from = Math.floor(payload.length * at)
  const [head, tail] = [payload.subarray(0, from), payload.subarray(from)]
  if (kind === 'cut') return head
  return Buffer.concat([head, bytes, kind === 'insert' ? tail : tail.subarray(bytes.length)])
}

describe('answers with damage', () => {
  it('PR-090 end in an error of ours or in a result, whatever is damaged, and never in a wait', async () => {
    const damage = { current: undefined as Damage | undefined, answers: 0 }
    await using gateway = await createAbapGateway({
      script({ payloads }) {
        const isHit = damage.answers === damage.current?.step
        damage.answers += 1
        if (!isHit || damage.current === undefined) return undefined
        // What is behind the damage is the end of the stream: whoever waits for more learns that there is none.
        const [first = Buffer.alloc(0), ...others] = payloads
        return { bytes: [damaged(first, damage.current), ...others].map((each) => formatNiFrame(each)), end: 'close' }
      },
    })
    await fc.assert(
      fc.asyncProperty(damages, async (current) => {
        damage.current = current
        damage.answers = 0
        const { client } = await createClassicClient(gateway.address)
        try {
          const outcome = await client.call('STFC_CONNECTION', { REQUTEXT: 'text' }).then(
            () => 'a result',
            (error: unknown) => (ConnectivityError.is(error) ? 'an error of ours' : String(error)),
          )
          expect(['a result', 'an error of ours']).toContain(outcome)
        } finally {
          await client[Symbol.asyncDispose]()
        }
      }),
      { numRuns: 250 },
    )
    await gateway.idle()
  })
})
