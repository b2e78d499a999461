import { ConnectivityError } from '@sallyport/core'
import {
  appcReturnCodeName,
  type AppcRecord,
  isFunctionDenial,
  niReturnCodeName,
  type RfcErrorEnvelope,
  type RouterError,
} from '@sallyport/rfc-wire'
import { isUnauthorized, rfcError } from '../rfc-errors.ts'

/** A connection that ended before the answer. Errors of a dial or a tunnel pass as they are. */
export function brokenError(attempt: string, requestSent: boolean, cause?: unknown): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  const { code } = (cause ?? {}) as { readonly code?: unknown }
  const text = `the connection broke${typeof code === 'string' ? ` (${code})` : ''}`
  return rfcError('COMMUNICATION', attempt, { text, requestSent, cause })
}

/** A connection that had ended before anything of this attempt was sent. */
export function lostError(attempt: string, cause: ConnectivityError): ConnectivityError {
  return rfcError('COMMUNICATION', attempt, { text: 'the connection had ended before', requestSent: false, cause, code: cause.code })
}

/** Bytes that are not what the protocol has here. */
export function violationError(
  attempt: string,
  what: string,
  requestSent: boolean,
  expected = 'the gateway of an ABAP system (port 33NN)',
): ConnectivityError {
  const text = `${what}; is this ${expected}?`
  return rfcError('COMMUNICATION', attempt, { text, requestSent, code: 'PROTOCOL_VIOLATION' })
}

/** A gateway that refuses, or ends a conversation without an answer to the call. */
export function gatewayError(attempt: string, record: AppcRecord, requestSent: boolean): ConnectivityError {
  const said =
    record.errorBytes === 0
      ? ''
      : record.body
          .subarray(-record.errorBytes)
          .toString('latin1')
          .replaceAll(/[^\x20-\x7e]+/g, ' ')
  const name = appcReturnCodeName(record.appcReturnCode)
  const text = `the gateway says: ${name} (${record.appcReturnCode}/${record.sapReturnCode})${said === '' ? '' : ` ${said}`}`
  return rfcError('COMMUNICATION', attempt, { text, requestSent })
}

/** A SAProuter that does not route: PR-079. */
export function routerError(attempt: string, { returnCode, text }: RouterError): ConnectivityError {
  const isDenied = returnCode === routePermissionDenied
  return rfcError('COMMUNICATION', attempt, {
    text: `SAProuter says: ${text} (${returnCode} ${niReturnCodeName(returnCode)})`,
    requestSent: false,
    ...(isDenied ? { code: 'ACCESS_DENIED' as const } : {}),
  })
}

const routePermissionDenied = -94

/** A user who is not let in. `secret` is cut out of what the system says. */
export function logonError(attempt: string, envelope: RfcErrorEnvelope, secret: string): ConnectivityError {
  const text = (envelope.errorText ?? envelope.messageText ?? '').replaceAll(secret, '[redacted]')
  if (isFunctionDenial(text)) return rfcError('COMMUNICATION', attempt, { text, requestSent: false, code: 'ACCESS_DENIED' })
  return rfcError('LOGON', attempt, { key: envelope.runtimeError, text, abap: messageOf(envelope), requestSent: false })
}

/**
 * A call that the system did not execute to its end: protocols.md 9.4. An answer that a connector gives instead of the system has the shape of a short dump; it is
 * known by its text, which is the documented one.
 */
export function callError(attempt: string, envelope: RfcErrorEnvelope, requestSent: boolean): ConnectivityError {
  const { exceptionKey, runtimeError, errorText, messageText } = envelope
  const text = errorText ?? messageText
  if (exceptionKey !== undefined)
    return rfcError('ABAP_EXCEPTION', attempt, { key: exceptionKey, text, abap: messageOf(envelope), requestSent })
  if (runtimeError === undefined && isFunctionDenial(text ?? '')) {
    return rfcError('COMMUNICATION', attempt, { text, requestSent, code: 'ACCESS_DENIED' })
  }
  const isForbidden = isUnauthorized(`${runtimeError ?? ''} ${text ?? ''}`)
  return rfcError('SYSTEM_FAILURE', attempt, {
    key: isForbidden ? 'RFC_NO_AUTHORITY' : runtimeError,
    text,
    abap: messageOf(envelope),
    requestSent,
    ...(isForbidden ? { code: 'OPERATION_FORBIDDEN' as const } : {}),
  })
}

function messageOf(envelope: RfcErrorEnvelope): NonNullable<Parameters<typeof rfcError>[2]['abap']> {
  const { messageClass, messageType, messageNumber } = envelope
  const variables = [envelope.messageVariable1, envelope.messageVariable2, envelope.messageVariable3, envelope.messageVariable4]
  return { messageClass, messageType, messageNumber, variables: variables.map((variable) => variable ?? '').slice(0, lengthOf(variables)) }
}

/** Behind the last variable that was sent. */
function lengthOf(variables: readonly (string | undefined)[]): number {
  return variables.findLastIndex((variable) => variable !== undefined) + 1
}
