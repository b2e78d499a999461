/**
 * Scripted backends, one per protocol: what the adapter suite needs besides the adapter. They play the far side of a
 * connection, healthy or hostile, and are written from the standards, from no code of a client. The gateway of an ABAP system
 * among them has function modules, users and a dictionary, and listens by itself where that is wanted.
 *
 * @example
 * describeAdapter('ldap', { ...ldapBackend, create: () => createLdapAdapter({ clock }), open: openFarSide })
 *
 * @packageDocumentation
 */
export {
  AbapFailure,
  type AbapFunction,
  type AbapParameter,
  type AbapSession,
  type AbapValues,
} from './backends/abap-gateway/abap-function.ts'
export { abapDictionary, abapFunctions } from './backends/abap-gateway/abap-functions.ts'
export {
  type AbapGateway,
  type AbapGatewayOptions,
  type AbapUser,
  createAbapGateway,
  serveAbapGateway,
} from './backends/abap-gateway/abap-gateway.ts'
export {
  type Dictionary,
  type DictionaryEntry,
  type DictionaryField,
  type DictionaryType,
  entryOf,
  wireTypeOf,
} from './backends/abap-gateway/dictionary.ts'
export type { GatewaySeen, SeenCall, SeenLogon } from './backends/abap-gateway/gateway-seen.ts'
export { createNiConnection, type NiConnection } from './backends/abap-gateway/ni-connection.ts'
export type { GatewayMoment, GatewayScript, ScriptedAnswer } from './backends/abap-gateway/scripted-answer.ts'
export { type AccountScript, playAccount, storedMessage as storedImapMessage } from './backends/account.ts'
export { classicRfcBackend, withGuest } from './backends/classic-rfc-backend.ts'
export { httpBackend } from './backends/http-backend.ts'
export { imapBackend } from './backends/imap-backend.ts'
export { ldapBackend } from './backends/ldap-backend.ts'
export {
  entry as ldapEntry,
  message as ldapMessage,
  onRequest as onLdapRequest,
  result as ldapResult,
  tags as ldapTags,
  tlv as berElement,
} from './backends/ldap-messages.ts'
export { type RelayOptions, type RelaySession, serveRelay } from './backends/mail-relay.ts'
export { type MailboxScript, playMailbox, storedMessage } from './backends/mailbox.ts'
export { pop3Backend } from './backends/pop3-backend.ts'
export type { ScriptedBackend } from './backends/scripted-backend.ts'
export { smtpBackend } from './backends/smtp-backend.ts'
export { soapBackend } from './backends/soap-backend.ts'
export { tcpBackend } from './backends/tcp-backend.ts'
