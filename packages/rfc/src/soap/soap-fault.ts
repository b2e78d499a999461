import type { ConnectivityError } from '@sallyport/core'
import { type AbapMessage, isUnauthorized, rfcError } from '../rfc-errors.ts'
import { childOf, type XmlElement } from './xml-tree.ts'

/** Whether the body of an envelope tells of a failure. */
export function isFault(element: XmlElement): boolean {
  return element.name === 'Fault'
}

/**
 * The error of a fault (protocols.md 13.4): an exception of the function module (`<FM>.Exception` with `Name`), an error of the system (`Error` with
 * `type` and `message`), or a text.
 */
export function faultError(attempt: string, fault: XmlElement): ConnectivityError {
  const detail = childOf(fault, 'detail')
  const exception = detail?.children.find((child) => child.name.endsWith('.Exception'))
  const said = textOf(fault, 'faultstring')
  if (exception !== undefined) {
    const message = childOf(exception, 'Message')
    return rfcError('ABAP_EXCEPTION', attempt, {
      key: textOf(exception, 'Name') ?? said,
      text: textOf(message, 'Text') ?? textOf(exception, 'Text') ?? '',
      abap: message === undefined ? undefined : abapMessage(message),
      requestSent: true,
    })
  }
  const failure = detail?.children.find((child) => child.name === 'Error')
  const text = textOf(failure, 'message') ?? (detail?.text.trim() || said) ?? ''
  if (isUnauthorized(text)) {
    return rfcError('SYSTEM_FAILURE', attempt, { key: 'RFC_NO_AUTHORITY', text, requestSent: true, code: 'OPERATION_FORBIDDEN' })
  }
  return rfcError('SYSTEM_FAILURE', attempt, { key: textOf(failure, 'type'), text, requestSent: true })
}

function abapMessage(message: XmlElement): AbapMessage {
  const attributes = childOf(message, 'Attributes')
  return {
    messageClass: textOf(message, 'ID'),
    messageNumber: textOf(message, 'Number'),
    variables: ['V1', 'V2', 'V3', 'V4'].map((name) => textOf(attributes, name) ?? ''),
  }
}

function textOf(element: XmlElement | undefined, name: string): string | undefined {
  const text = childOf(element, name)?.text.trim()
  return text === '' ? undefined : text
}
