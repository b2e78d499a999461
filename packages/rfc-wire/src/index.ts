/**
 * Codecs of RFC (Remote Function Call) and of the layers below it: NI frames, SAProuter, message server, gateway, APPC records, chains of fields.
 * Pure functions on buffers: no I/O, no dependencies, no state beyond the readers of streams.
 *
 * Parsers answer with a {@link Refused} for bytes that break the format; renderers throw `TypeError` for what a parser would refuse.
 *
 * @example
 * const reader = createNiReader({ maxPayloadBytes: maxClientFrameBytes })
 * for (const frame of reader.read(formatNiFrame(niPing)).frames) {
 *   if (frame.kind === 'ping') socket.write(formatNiFrame(niPong))
 * }
 *
 * @packageDocumentation
 */
export { type AbapField, type AbapType, type AbapValue, fixedBytesOf } from './abap-type.ts'
export { appcFunctions, appcReturnCodeName, deallocatedNormally, relayedAppcFunctions } from './appc-functions.ts'
export { type AppcRecord, appcHeaderBytes, clientAppcRecord, formatAppcRecord, parseAppcRecord, serverAppcRecord } from './appc-record.ts'
export { type CallReply, type CallReplyOptions, formatCallReply, formatErrorReply, readCallReply } from './call-reply.ts'
export { type CallRequest, formatCallRequest, readCallRequest, type WireParameter } from './call-request.ts'
export {
  allocateRecord,
  allocateReply,
  type Conversation,
  type ConversationTarget,
  deallocateRecord,
  initializeRecord,
  initializeReply,
  partnerRecord,
  readInitializeReply,
} from './conversation-setup.ts'
export {
  type ChainCursor,
  type CpicChain,
  type CpicField,
  createChainCursor,
  fieldValue,
  formatChain,
  logonSignature,
  parseChain,
} from './cpic-chain.ts'
export { cpicTags, identityTags } from './cpic-tags.ts'
export { decodeValue } from './decode-value.ts'
export type { DeepComponent, DeepType, DeepValue } from './deep-type.ts'
export { type Denial, denialRecord, functionDenialText, isFunctionDenial } from './denial-answer.ts'
export { encodeInitialValue, encodeValue } from './encode-value.ts'
export type { RfcErrorEnvelope } from './error-envelope.ts'
export {
  acceptedGatewayConnect,
  clientGatewayConnect,
  codePages,
  formatGatewayConnect,
  type GatewayConnect,
  gatewayRequestTypes,
  parseGatewayConnect,
} from './gateway-connect.ts'
export {
  formatInitializeParameters,
  formatPartnerParameters,
  type InitializeParameters,
  initializeParameterBytes,
  parseInitializeParameters,
  parsePartnerParameters,
  type PartnerParameters,
} from './initialize-parameters.ts'
export { announcedPacketBytes, maxClientFrameBytes, maxRelayedFrameBytes, maxSliceBytes, maxUnacknowledgedSlices } from './limits.ts'
export {
  formatLogonGroupReply,
  formatLogonGroupRequest,
  gatewayPortDistance,
  type LogonGroupAnswer,
  parseLogonGroupReply,
  parseLogonGroupRequest,
} from './logon-group.ts'
export { formatLogonAcceptance, formatLogonRefusal, type LogonAnswer, type LogonServer, readLogonAnswer } from './logon-answer.ts'
export { formatLogonRequest, type LogonIdentity, type LogonRequest, readLogonIdentity } from './logon-request.ts'
export {
  anonymousName,
  formatMessageServerLogin,
  formatMessageServerLogout,
  formatMessageServerMessage,
  messageFlags,
  messageInterfaces,
  type MessageServerMessage,
  messageServerName,
  parseMessageServerMessage,
  readLoginAnswer,
} from './message-server.ts'
export { createNiReader, formatNiFrame, type NiFrame, niPing, niPong, type NiReader } from './ni-frame.ts'
export { niReturnCodeName } from './ni-return-codes.ts'
export {
  type ClientInfo,
  formatClientInfo,
  formatInitializeInfo,
  formatPartnerInfo,
  formatServerInfo,
  type InitializeInfo,
  parseClientInfo,
  parseInitializeInfo,
  parsePartnerInfo,
  parseServerInfo,
  type PartnerInfo,
  type ServerInfo,
} from './operation-info.ts'
export { decodeParameter, encodeParameter, type ParameterType } from './parameter-value.ts'
export { scramblePassword, unscramblePassword } from './password.ts'
export { isRefused, type Refused } from './refusal.ts'
export {
  acknowledgementRecord,
  createReplyReader,
  readAcknowledgement,
  type Reply,
  type ReplyOptions,
  type ReplyReader,
  replyRecords,
} from './reply-records.ts'
export { maxRequestRecordBytes, readRequestData, type RequestData, requestRecords, type RequestStep } from './request-records.ts'
export { readRequestedFunction, type RequestedFunction } from './requested-function.ts'
export { formatRouteRequest, isRouteRequest, parseRouteRequest, type RouteRequest } from './route-request.ts'
export { defaultRouterService, formatRouteString, parseRouteString, type RouteHop } from './route-string.ts'
export { formatRouterError, isRouterError, parseRouterError, type RouterError, type RouterErrorDetail } from './router-error.ts'
export { infrastructureFunctions, logonFunctions, shippingFunctions } from './known-functions.ts'
export { isSncFrame, parseSncFrame, type SncFrame } from './snc-frame.ts'
export { type InternalTarget, rewriteGatewayConnect, rewriteInitialize, rewriteInitializeReply, rewritePartner } from './target-rewrite.ts'
export { formatXmlParameter, parseXmlParameter, xmlParameterName } from './xml-value.ts'
export { encodingOfCodePage, formatWireText, readTrimmedText, readWireText, type WireEncoding } from './wire-text.ts'
