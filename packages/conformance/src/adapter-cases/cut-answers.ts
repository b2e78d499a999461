import type { Address, ProtocolClient } from '@sallyport/core'
import { expect } from '../expect.ts'
import { reasonOf, within } from '../probe.ts'
import type { AdapterCase, AdapterContext } from './adapter-case.ts'
import { anyone, codeOf, connect } from './attempts.ts'
import { createWatchedBackend, type WatchedBackend } from './watched-backend.ts'

export type CutAnswerCase =
  | 'takes an answer whose backend ends with its last byte, and works again'
  | 'takes no answer that is cut short, half way or at its last byte'

/** What becomes of answers whose connection ends. Where the healthy answer ends is found out by asking for it once. */
export const cutAnswerCases: Readonly<Record<CutAnswerCase, AdapterCase>> = {
  'takes an answer whose backend ends with its last byte, and works again': {
    requires: 'answers',
    async run(context) {
      const { parts, far, signal } = context
      const { backend, address, answerBytes } = await learnAnswer(context)
      const { client } = await connect(context, address)
      backend.cut = { afterBytes: backend.said + answerBytes, how: 'end' }
      await within(parts.work(client, signal), signal, 'the work whose backend ends')
      expect(backend.said, 'the backend has not ended').toBe(backend.cut.afterBytes)
      await within(far.idle(), signal, 'the client to leave a backend that has ended')
      backend.cut = undefined
      await parts.reopen?.(client, signal)
      const again = (): Promise<void> => within(parts.work(client, signal), signal, 'the work after that')
      // Behind an intermediary the end may still be on its way, and a request that must not be sent twice is lost to it then (RFC 9112 §9.3.1). Once.
      await again().catch((error: unknown) => {
        if (!/^(BACKEND_UNREACHABLE|TUNNEL_LOST)$/.test(String(codeOf(error)))) throw error
        return again()
      })
      await leave(context, client)
    },
  },
  'takes no answer that is cut short, half way or at its last byte': {
    requires: 'answers',
    async run(context) {
      const { parts, signal } = context
      const { backend, address, answerBytes } = await learnAnswer(context)
      for (const how of ['end', 'reset'] as const) {
        for (const afterBytes of [Math.floor(answerBytes / 2), answerBytes - 1]) {
          const what = `${how} after byte ${afterBytes} of ${answerBytes}`
          backend.cut = { afterBytes: backend.said + afterBytes, how }
          const { client } = await connect(context, address)
          const error = await within(reasonOf(parts.work(client, signal)), signal, what)
          expect(codeOf(error), what).toMatch(/^(PROTOCOL_VIOLATION|BACKEND_UNREACHABLE|TUNNEL_LOST)$/)
          await leave(context, client)
        }
      }
    },
  },
}

/** Works once at a healthy backend. */
async function learnAnswer(
  context: AdapterContext,
): Promise<{ readonly backend: WatchedBackend; readonly address: Address; readonly answerBytes: number }> {
  const { parts, far, signal } = context
  const backend = createWatchedBackend()
  const address = await far.serve((end) => parts.serve(backend.watch(end), anyone))
  const { client } = await connect(context, address)
  await within(parts.work(client, signal), signal, 'the healthy work')
  const answerBytes = backend.said
  await leave(context, client)
  return { backend, address, answerBytes }
}

async function leave({ far, signal }: AdapterContext, client: ProtocolClient): Promise<void> {
  await within(client[Symbol.asyncDispose](), signal, 'the disposal')
  await within(far.idle(), signal, 'the far side to be idle')
}
