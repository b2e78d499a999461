import { setTimeout as delay } from 'node:timers/promises'
import { expect } from '../expect.ts'
import { heldBytes, quietMs } from '../limits.ts'
import { within } from '../probe.ts'
import type { AdapterCase } from './adapter-case.ts'
import { connect } from './attempts.ts'
import { createLongContent } from './long-content.ts'
import { createWatchedBackend } from './watched-backend.ts'

export type SlowReaderCase = 'stops the backend while nobody reads its answer' | 'stops reading its source while the backend does not read'

/** Whoever reads slowly stops whoever writes, with the whole way between holding no more than its buffers. */
export const slowReaderCases: Readonly<Record<SlowReaderCase, AdapterCase>> = {
  'stops the backend while nobody reads its answer': {
    requires: 'longAnswers',
    async run(context) {
      const { parts, far, signal } = context
      const { longAnswer } = parts
      if (longAnswer === undefined) throw new Error('the subject claims longAnswers and offers none')
      const backend = createWatchedBackend()
      const content = createLongContent()
      const address = await far.serve((end) => longAnswer.serve(backend.watch(end), content.stream))
      const { client } = await connect(context, address)
      const pieces = longAnswer.ask(client, signal)[Symbol.asyncIterator]()
      let received = 0
      for (let stopped = false; ;) {
        const piece = await within(pieces.next(), signal, 'the next piece of the answer')
        if (piece.done === true) break
        received += piece.value.length
        if (stopped) continue
        stopped = true
        await quiet(() => backend.said)
        expect(backend.said, 'the client collects what nobody reads').toBeLessThan(heldBytes)
        content.finish()
      }
      expect(received).toBe(content.taken)
      await client[Symbol.asyncDispose]()
      await within(far.idle(), signal, 'the far side to be idle')
    },
  },
  'stops reading its source while the backend does not read': {
    requires: 'longRequests',
    async run(context) {
      const { parts, far, signal } = context
      const { longRequest } = parts
      if (longRequest === undefined) throw new Error('the subject claims longRequests and offers none')
      const backend = createWatchedBackend()
      const content = createLongContent()
      const { promise: until, resolve: listen } = Promise.withResolvers<void>()
      const heardBytes = 64 * 1024
      backend.deaf = { afterBytes: heardBytes, until }
      const address = await far.serve((end) => longRequest.serve(backend.watch(end)))
      const { client } = await connect(context, address)
      const sending = longRequest.send(client, content.stream, signal)
      await Promise.race([sending, quiet(() => (backend.heard < heardBytes ? Number.NaN : content.taken))])
      expect(content.taken, 'the client collects what nobody takes').toBeLessThan(heldBytes)
      content.finish()
      listen()
      await within(sending, signal, 'the long request')
      await client[Symbol.asyncDispose]()
      await within(far.idle(), signal, 'the far side to be idle')
      expect(backend.heard).toBeGreaterThan(content.taken - 1)
    },
  },
}

/** Settles when a figure has not changed for a while. `NaN` is never still. */
async function quiet(figure: () => number): Promise<void> {
  for (let before = Number.NaN; before !== figure();) {
    before = figure()
    // oxlint-disable-next-line no-await-in-loop -- it is looked at again and again
    await delay(quietMs)
  }
}
