import { deallocateRecord, denialRecord, formatAppcRecord, isRefused } from '@sallyport/rfc-wire'
import { readBackend } from './backend-records.ts'
import { readRequest, type RequestDecisions } from './client-requests.ts'
import { readSetup, type SetupRules } from './client-setup.ts'
import { assignConnection, type ConversationState, createConversationState, type Phase } from './conversation-state.ts'
import type { RelayedConversation, RfcRefusal, RfcVerdict } from './verdict.ts'

/** What decides about a conversation. */
export interface ConversationRules extends SetupRules, RequestDecisions {
  /** Asked when the backend calls the application, so that it is decided by the configuration of that moment. */
  readonly allowCallbacks: () => boolean
  /** Records what does not keep the protocol, and words it for the client. */
  violation(reason: string): RfcRefusal
  /** The reply to a request, or to the logon, is complete. */
  replied(): void
}

/** Phases in which the client has the word, and the backend waits for a new record of its own. */
const betweenRequests: ReadonlySet<Phase> = new Set(['allocate', 'logon', 'idle'])
const beforeLogonIsDone: ReadonlySet<Phase> = new Set(['allocate', 'allocating', 'logon'])
const setup: ReadonlySet<Phase> = new Set(['connect', 'connecting', 'initialize', 'initializing', 'allocate', 'allocating', 'logon'])

/**
 * One conversation in the clear: protocols.md 12. Nothing of the client passes before it has been read, and decided where there is something to decide.
 */
export function createRfcConversation(rules: ConversationRules): RelayedConversation {
  const state: ConversationState = createConversationState()

  return {
    get progress() {
      if (state.phase === 'ended') return 'ended'
      return setup.has(state.phase) ? 'set-up' : 'standing'
    },
    fromClient(payload) {
      if (state.phase === 'ended') return dropped
      const isSetup = state.phase === 'connect' || state.phase === 'initialize' || state.phase === 'allocate'
      const result = isSetup ? readSetup(state, payload, rules) : readRequest(state, payload, rules)
      if (result === undefined || Buffer.isBuffer(result)) {
        const passed = result ?? payload
        if (state.phase !== 'connecting' && state.phase !== 'initializing') assignConnection(state, passed)
        return { kind: 'pass', payload: passed }
      }
      return { kind: 'refuse', refusal: isRefused(result) ? rules.violation(result.refused) : result }
    },
    fromBackend(payload): RfcVerdict {
      if (state.phase === 'ended') return dropped
      const message = readBackend(state, payload, rules)
      if (isRefused(message)) return { kind: 'broken', reason: message.refused }
      if (message.kind === 'callback')
        return { kind: 'refuse', refusal: rules.violation('the backend calls a function of the application') }
      if (message.completes) rules.replied()
      return { kind: 'pass', payload: message.payload }
    },
    refuse({ text }) {
      const { conversation, phase, sequenceNumber } = state
      state.phase = 'ended'
      if (conversation === undefined) return { toClient: undefined, toBackend: undefined }
      const denial = denialRecord({ conversation, sequenceNumber: sequenceNumber + 1, logon: beforeLogonIsDone.has(phase), text })
      const farewell = betweenRequests.has(phase) ? formatAppcRecord(deallocateRecord(conversation)) : undefined
      return { toClient: formatAppcRecord(denial), toBackend: farewell }
    },
  }
}

const dropped: RfcVerdict = { kind: 'drop' }
