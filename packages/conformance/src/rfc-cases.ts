import { callCases, type CallCase } from './rfc-cases/calls.ts'
import { type ConversationCase, conversationCases } from './rfc-cases/conversations.ts'
import { type DenialCase, denialCases } from './rfc-cases/denials.ts'
import { type EndCase, endCases } from './rfc-cases/ends.ts'
import type { RfcCase } from './rfc-cases/rfc-case.ts'
import { type VolumeCase, volumeCases } from './rfc-cases/volume.ts'

export type RfcCaseName = ConversationCase | CallCase | DenialCase | VolumeCase | EndCase

/** What an application sees of an ABAP system that it calls over its gateway, whatever lies between. */
export const rfcCases: Readonly<Record<RfcCaseName, RfcCase>> = {
  ...conversationCases,
  ...callCases,
  ...denialCases,
  ...volumeCases,
  ...endCases,
}
