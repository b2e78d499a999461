import { ConnectivityError, type ErrorCode, foreignText } from '@sallyport/core'

/** What went wrong, as JCo groups it (protocols.md 9.4). */
export type RfcErrorGroup =
  | 'COMMUNICATION'
  | 'LOGON'
  | 'SYSTEM_FAILURE'
  | 'RESOURCE'
  | 'ABAP_EXCEPTION'
  | 'FUNCTION_NOT_FOUND'
  | 'CONVERSION'

/** An ABAP message (T100) that came with an error. */
export interface AbapMessage {
  readonly messageClass?: string | undefined
  readonly messageType?: string | undefined
  readonly messageNumber?: string | undefined
  /** V1..V4. */
  readonly variables?: readonly string[]
}

/** What is known of a failure. */
export interface RfcFailure {
  /** The exception, the runtime error, or a key of JCo; the default is JCo's key of the group. */
  readonly key?: string | undefined
  /** What the system said. Secrets have been taken out of it. */
  readonly text?: string | undefined
  readonly abap?: AbapMessage | undefined
  /** Whether a byte of the call has left; if so nobody may repeat it without asking what it did. */
  readonly requestSent: boolean
  readonly cause?: unknown
  /** Another code than that of the group, where more is known. */
  readonly code?: ErrorCode
}

const groups: Readonly<Record<RfcErrorGroup, { readonly code: ErrorCode; readonly key: string; readonly number: number }>> = {
  COMMUNICATION: { code: 'BACKEND_UNREACHABLE', key: 'JCO_ERROR_COMMUNICATION', number: 102 },
  LOGON: { code: 'LOGON_REFUSED', key: 'JCO_ERROR_LOGON_FAILURE', number: 103 },
  SYSTEM_FAILURE: { code: 'BACKEND_FAILED', key: 'JCO_ERROR_SYSTEM_FAILURE', number: 104 },
  RESOURCE: { code: 'POOL_EXHAUSTED', key: 'JCO_ERROR_RESOURCE', number: 106 },
  CONVERSION: { code: 'MESSAGE_INVALID', key: 'JCO_ERROR_CONVERSION', number: 122 },
  FUNCTION_NOT_FOUND: { code: 'NOT_FOUND', key: 'JCO_ERROR_FUNCTION_NOT_FOUND', number: 123 },
  ABAP_EXCEPTION: { code: 'OPERATION_REFUSED', key: 'JCO_ERROR_ABAP_EXCEPTION', number: 126 },
}

/**
 * Makes the error of a call or a connection. `details` has `group`, `groupNumber`, `key`, `requestSent`, and of an ABAP message `messageClass`, `messageType`,
 * `messageNumber`, `messageV1` … `messageV4`. `attempt` says what was being done, on which destination.
 */
export function rfcError(group: RfcErrorGroup, attempt: string, failure: RfcFailure): ConnectivityError {
  const { code, key, number } = groups[group]
  const text = foreignText(failure.text ?? '').trim()
  const ownKey = failure.key === undefined || failure.key === '' ? key : foreignText(failure.key)
  const said = [ownKey === key ? '' : ownKey, text].filter((part) => part !== '').join(': ')
  const { messageClass, messageType, messageNumber, variables = [] } = failure.abap ?? {}
  return new ConnectivityError(failure.code ?? code, `${attempt}: ${said === '' ? key : said}`, {
    ...(failure.cause === undefined ? {} : { cause: failure.cause }),
    details: {
      group,
      groupNumber: number,
      key: ownKey,
      requestSent: failure.requestSent,
      ...(messageClass === undefined ? {} : { messageClass: foreignText(messageClass) }),
      ...(messageType === undefined ? {} : { messageType: foreignText(messageType) }),
      ...(messageNumber === undefined ? {} : { messageNumber: foreignText(messageNumber) }),
      ...Object.fromEntries(variables.slice(0, 4).map((value, index) => [`messageV${index + 1}`, foreignText(value)])),
    },
  })
}

/** The group of an error of this package; `undefined` for any other. */
export function rfcErrorGroup(error: unknown): RfcErrorGroup | undefined {
  const group = ConnectivityError.is(error) ? error.details['group'] : undefined
  return typeof group === 'string' && Object.hasOwn(groups, group) ? (group as RfcErrorGroup) : undefined
}

/** Whether a connection can go on after this error: the function module declined in good order, or nothing was sent. See protocols.md 9.3. */
export function keepsConnection(error: unknown): boolean {
  const group = rfcErrorGroup(error)
  return group === 'ABAP_EXCEPTION' || group === 'CONVERSION' || group === 'FUNCTION_NOT_FOUND'
}

/** Whether a system says that the user may not call a function. It has no other sign for it than its words. */
export function isUnauthorized(text: string): boolean {
  return /RFC_AUTHORIZATION_FAILURE|RFC_NO_AUTHORITY|no (?:RFC )?authori[sz]ation/i.test(text)
}
