import { appcFunctions } from './appc-functions.ts'
import { appcHeaderBytes, parseAppcRecord } from './appc-record.ts'
import { shortName } from './conversation-setup.ts'
import { parseGatewayConnect } from './gateway-connect.ts'
import { initializeParameterBytes, parseInitializeParameters, parsePartnerParameters } from './initialize-parameters.ts'
import { isPrintable, writePaddedText } from './padded-text.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'

/** The system that a connection really goes to. */
export interface InternalTarget {
  /** At most 128 characters. */
  readonly host: string
  /** Two digits. */
  readonly systemNumber: string
}

/** Where the operation information of a record begins. */
const operationInfoAt = 48

/**
 * Puts the name of the relaying host in place of the client's, and no address. All functions of this file return a copy of the same length and refuse what the
 * parser of the record refuses: protocols.md 12.3.
 */
export function rewriteGatewayConnect(payload: Buffer, relay: { readonly hostName: string }): Buffer | Refused {
  const record = parseGatewayConnect(payload)
  if (isRefused(record)) return record
  const copy = Buffer.from(payload)
  copy.fill(0, 2, 6)
  if (record.version === 3) copy.fill(0, 58, 74)
  writePaddedText(copy, 30, 8, shortName(relay.hostName), 'blank', 'host name')
  return copy
}

/**
 * Puts the internal host and system in place of the virtual ones in INITIALIZE. With parameters of another length than the studied one only the short names
 * are replaced, and only if `strict` is off.
 */
export function rewriteInitialize(payload: Buffer, target: InternalTarget, options: { readonly strict: boolean }): Buffer | Refused {
  checkTarget(target)
  const record = parseAppcRecord(payload)
  if (isRefused(record)) return record
  if (record.function !== appcFunctions.initialize) return refuse('INITIALIZE: another function')
  if (record.sapParameterBytes !== record.body.length) return refuse('INITIALIZE: length of the parameters')
  const isStudied = record.body.length === initializeParameterBytes
  if (!isStudied && (options.strict || record.body.length < 32)) return refuse(`INITIALIZE: ${record.body.length} bytes of parameters`)
  const transactionProgram = `sapdp${target.systemNumber}`
  const copy = Buffer.from(payload)
  writePaddedText(copy, operationInfoAt + 8, 8, shortName(target.host), 'blank', 'host')
  writePaddedText(copy, operationInfoAt + 16, 8, transactionProgram, 'blank', 'system')
  if (!isStudied) return copy
  const parameters = parseInitializeParameters(record.body)
  if (isRefused(parameters)) return parameters
  copy.fill(0, appcHeaderBytes + 89, appcHeaderBytes + 105)
  writePaddedText(copy, appcHeaderBytes + 105, 128, target.host, 'nul', 'host')
  copy.fill(0, appcHeaderBytes + 301, appcHeaderBytes + 305)
  writePaddedText(copy, appcHeaderBytes + 309, 64, transactionProgram, 'nul', 'system')
  return copy
}

/** Puts the internal host in place of the virtual one in SET_PARTNER_LU_NAME. */
export function rewritePartner(payload: Buffer, target: InternalTarget): Buffer | Refused {
  checkTarget(target)
  const record = parseAppcRecord(payload)
  if (isRefused(record)) return record
  if (record.function !== appcFunctions.setPartnerLogicalUnit) return refuse('SET_PARTNER_LU_NAME: another function')
  if (record.sapParameterBytes !== record.body.length) return refuse('SET_PARTNER_LU_NAME: length of the parameters')
  const parameters = parsePartnerParameters(record.body)
  if (isRefused(parameters)) return parameters
  const copy = Buffer.from(payload)
  writePaddedText(copy, operationInfoAt, 8, shortName(target.host), 'blank', 'host')
  copy.writeUInt32BE(target.host.length, operationInfoAt + 8)
  copy.fill(0, operationInfoAt + 12, operationInfoAt + 28)
  writePaddedText(copy, appcHeaderBytes, 128, target.host, 'blank', 'host')
  copy.fill(0, appcHeaderBytes + 128, appcHeaderBytes + 144)
  return copy
}

/**
 * Puts the host and the program that the client had named in INITIALIZE in place of the internal ones, in the server's reply to it. `request` is what the client
 * had sent.
 */
export function rewriteInitializeReply(payload: Buffer, request: Buffer): Buffer | Refused {
  for (const each of [payload, request]) {
    const record = parseAppcRecord(each)
    if (isRefused(record)) return record
    if (record.function !== appcFunctions.initialize) return refuse('INITIALIZE: answered by another function')
  }
  const copy = Buffer.from(payload)
  request.copy(copy, operationInfoAt + 8, operationInfoAt + 8, operationInfoAt + 24)
  return copy
}

function checkTarget({ host, systemNumber }: InternalTarget): void {
  if (host === '' || host.length > 128 || !isPrintable(host) || host.endsWith(' '))
    throw new TypeError('the internal host has 1 to 128 printable characters')
  if (!/^\d\d$/.test(systemNumber)) throw new TypeError('a system number is two digits')
}
