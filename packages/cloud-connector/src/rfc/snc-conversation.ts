import { isRouterError, isSncFrame } from '@sallyport/rfc-wire'
import type { RelayedConversation, RfcRefusal, RfcVerdict } from './verdict.ts'

/**
 * A conversation whose contents are protected between application and backend. All that can be held is that it is so: a message in the clear never passes, in
 * neither direction.
 */
export function createSncConversation(rules: { violation(reason: string): RfcRefusal }): RelayedConversation {
  let progress: RelayedConversation['progress'] = 'set-up'
  return {
    get progress() {
      return progress
    },
    fromClient(payload): RfcVerdict {
      if (progress === 'ended') return { kind: 'drop' }
      if (isSncFrame(payload)) return { kind: 'pass', payload }
      return { kind: 'refuse', refusal: rules.violation('a message in the clear on a mapping of protocol RFCS') }
    },
    fromBackend(payload): RfcVerdict {
      if (progress === 'ended') return { kind: 'drop' }
      if (isSncFrame(payload)) {
        progress = 'standing'
        return { kind: 'pass', payload }
      }
      const reason = isRouterError(payload) ? 'the backend answers with an error in the clear' : 'the backend answers in the clear'
      return { kind: 'broken', reason }
    },
    refuse() {
      progress = 'ended'
      return { toClient: undefined, toBackend: undefined }
    },
  }
}
