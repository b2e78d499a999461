import type { RelayedConversation, RfcVerdict } from '../rfc/verdict.ts'
import { formatHexDump } from './trace-line.ts'
import type { TracePayload } from './traced-stream.ts'

/**
 * The same conversation, with a line for its refusals and its end (level 1), for each of its messages (2), and with their contents (3): the levels of the CPIC
 * trace. `write` is given one text at a time.
 */
export function traceConversation(conversation: RelayedConversation, level: number, write: (text: string) => void): RelayedConversation {
  const traced = (from: 'client' | 'backend', payload: Buffer, verdict: RfcVerdict): RfcVerdict => {
    const contents = level >= 3 ? `\n${formatHexDump(payload)}` : ''
    if (level >= 2) write(`${from}: ${payload.length} bytes, ${verdict.kind}${contents}`)
    else if (verdict.kind === 'broken') write(`${from}: ${verdict.reason}`)
    if (conversation.progress === 'ended') write('the conversation has ended')
    return verdict
  }
  return {
    get progress() {
      return conversation.progress
    },
    fromClient: (payload) => traced('client', payload, conversation.fromClient(payload)),
    fromBackend: (payload) => traced('backend', payload, conversation.fromBackend(payload)),
    refuse(refusal) {
      write(`refused: ${refusal.reason}`)
      return conversation.refuse(refusal)
    },
  }
}

/** The same conversation, with the contents of its messages as they arrive. */
export function tracePayloads(conversation: RelayedConversation, trace: TracePayload): RelayedConversation {
  return {
    get progress() {
      return conversation.progress
    },
    fromClient(payload) {
      trace('from cloud', payload)
      return conversation.fromClient(payload)
    },
    fromBackend(payload) {
      trace('from backend', payload)
      return conversation.fromBackend(payload)
    },
    refuse: (refusal) => conversation.refuse(refusal),
  }
}
