import type { RfcErrorEnvelope } from '@sallyport/rfc-wire'
import { escapeXml, toElementName } from './soap-element.ts'

/** A fault in the shape that ABAP gives it (protocols.md 13.4): exceptions, messages and dumps, or a text. */
export function formatFault(functionName: string, failure: RfcErrorEnvelope): string {
  const { exceptionKey, messageText, messageClass, messageNumber, messageType, runtimeError, errorText } = failure
  if (exceptionKey !== undefined) {
    const element = `rfc:${toElementName(functionName)}.Exception`
    const variables = [failure.messageVariable1, failure.messageVariable2, failure.messageVariable3, failure.messageVariable4]
    const attributes = variables.map((value, at) => `<V${at + 1}>${escapeXml(value ?? '')}</V${at + 1}>`).join('')
    const message =
      messageClass === undefined
        ? ''
        : `<Message><ID>${escapeXml(messageClass)}</ID><Number>${messageNumber ?? ''}</Number><Text>${escapeXml(messageText ?? '')}</Text><Attributes>${attributes}</Attributes></Message>`
    const detail = `<${element} xmlns:rfc="urn:sap-com:document:sap:rfc:functions"><Name>${escapeXml(exceptionKey)}</Name>${message}</${element}>`
    return fault('SOAP-ENV:Client', exceptionKey, detail)
  }
  if (messageText !== undefined || runtimeError !== undefined) {
    const detail = `<rfc:Error xmlns:rfc="urn:sap-com:document:sap:soap:functions"><type>${escapeXml(runtimeError ?? messageType ?? '')}</type><message>${escapeXml(messageText ?? errorText ?? '')}</message></rfc:Error>`
    return fault('SOAP-ENV:Server', 'Internal Server Error', detail)
  }
  return fault('SOAP-ENV:Client', errorText ?? '', escapeXml(errorText ?? ''))
}

function fault(code: string, text: string, detail: string): string {
  return `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>${code}</faultcode><faultstring>${escapeXml(text)}</faultstring><detail>${detail}</detail></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>`
}
