import { ConnectivityError, type ErrorCode } from '@sallyport/core'
import { rfcError, type RfcErrorGroup } from '../rfc-errors.ts'

/** Return codes of the SDK (protocols.md 9.4, 10.3). The others are failures of communication. */
const groupOfCode: Readonly<Record<number, { readonly group: RfcErrorGroup; readonly code?: ErrorCode; readonly isUnsent?: true }>> = {
  1: { group: 'COMMUNICATION' },
  2: { group: 'LOGON' },
  3: { group: 'SYSTEM_FAILURE' },
  4: { group: 'SYSTEM_FAILURE' },
  5: { group: 'ABAP_EXCEPTION' },
  6: { group: 'COMMUNICATION' },
  7: { group: 'COMMUNICATION', code: 'ABORTED' },
  8: { group: 'COMMUNICATION', code: 'DEADLINE_EXCEEDED' },
  17: { group: 'FUNCTION_NOT_FOUND', isUnsent: true },
  20: { group: 'CONVERSION', isUnsent: true },
  29: { group: 'LOGON' },
  30: { group: 'LOGON' },
  31: { group: 'COMMUNICATION', code: 'CONFIGURATION_INVALID', isUnsent: true },
}

/** What was being done when the library failed. */
export interface NodeRfcAttempt {
  readonly attempt: string
  /** A call may have left. */
  readonly requestSent: boolean
  /** Cut out of what the library says. */
  readonly secret: string | undefined
  /** Why the way to the system broke, where we made it: the library only sees a connection end. */
  readonly wayFailure: ConnectivityError | undefined
}

/** Turns an error of node-rfc into ours. The error itself is not kept: it may carry the parameters of the connection. */
export function nodeRfcError(error: unknown, { attempt, requestSent, secret, wayFailure }: NodeRfcAttempt): ConnectivityError {
  if (ConnectivityError.is(error)) return error
  const field = (name: string): string | undefined => {
    const value = ((error ?? {}) as Readonly<Record<string, unknown>>)[name]
    const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : ''
    if (text === '') return undefined
    return secret === undefined || secret === '' ? text : text.replaceAll(secret, '[redacted]')
  }
  const text = field('message')
  // What the library itself finds wrong with a value; the SDK was not asked.
  if (/^nodeRfcError$/i.test(field('name') ?? '')) return rfcError('CONVERSION', attempt, { text, requestSent: false })
  const number = Number(field('code'))
  const { group, code, isUnsent } = groupOfCode[number] ?? { group: 'COMMUNICATION' as const }
  const isCommunication = group === 'COMMUNICATION'
  const wayCode = isCommunication ? wayFailure?.code : undefined
  return rfcError(group, attempt, {
    key: field('key'),
    text,
    abap: messageOf(field),
    requestSent: requestSent && isUnsent !== true,
    ...(wayCode === undefined ? (code === undefined ? {} : { code }) : { code: wayCode }),
    ...(isCommunication && wayFailure !== undefined ? { cause: wayFailure } : {}),
  })
}

function messageOf(field: (name: string) => string | undefined): NonNullable<Parameters<typeof rfcError>[2]['abap']> {
  const variables = ['abapMsgV1', 'abapMsgV2', 'abapMsgV3', 'abapMsgV4'].map((name) => field(name) ?? '')
  return {
    messageClass: field('abapMsgClass'),
    messageType: field('abapMsgType'),
    messageNumber: field('abapMsgNumber'),
    variables: variables.slice(0, variables.findLastIndex((value) => value !== '') + 1),
  }
}
