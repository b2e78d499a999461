import { formatLayout, readLayout } from './record-layout.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'

/** Kinds of connections to a gateway: protocols.md 11.5. A relay lets only `normalClient` pass. */
export const gatewayRequestTypes = {
  checkGateway: 0x01,
  connectWorkProcess: 0x02,
  normalClient: 0x03,
  remoteGateway: 0x04,
  stop: 0x05,
  localSystem: 0x06,
  internalError: 0x07,
  info: 0x08,
  monitorCommand: 0x09,
  registerProgram: 0x0b,
  unregisterProgram: 0x0c,
  connectDispatcher: 0x0d,
  countRegisteredPrograms: 0x0e,
  workProcessClient: 0x0f,
  cancelRegistration: 0x10,
  fromRemoteGateway: 0x11,
  containerReceived: 0x12,
} as const

/** Text encodings that a gateway announces with its answer. */
export const codePages = { latin1: '1100', utf16BigEndian: '4102', utf16LittleEndian: '4103' } as const

/** The record that begins a connection to a gateway, in both directions. */
export interface GatewayConnect {
  /** Version 3 has an address more. */
  readonly version: 2 | 3
  /** One of {@link gatewayRequestTypes}. */
  readonly requestType: number
  /** Four bytes; zeros if not told. */
  readonly ipv4: Buffer
  /** Sixteen bytes in version 3; none in version 2. */
  readonly ipv6: Buffer
  /** Name of the program, at most 10 characters. */
  readonly service: string
  readonly codePage: string
  readonly optionLevel: number
  /** Name of the host, at most 8 characters. */
  readonly logicalUnit: string
  /** Name of the program, at most 8 characters. */
  readonly transactionProgram: string
  readonly conversationId: string
  readonly appcVersion: number
  /** 01 error info, 02 ping, 04 SNC, 08 connection error info, 10 code page, 20 NI ping, 40 extended initialisation, 80 distributed trace. */
  readonly acceptInfo: number
  readonly index: number
  /** Not 0 where a gateway refuses. */
  readonly returnCode: number
  readonly echo: number
}

const headLayout = {
  name: 'gateway connect record',
  size: 58,
  constants: [
    [6, '00000000'],
    [24, '0000000000'],
  ],
  fields: {
    version: [0, 'u8'],
    requestType: [1, 'u8'],
    ipv4: [2, 'bytes', 4],
    service: [10, 'text', 10, 'nul'],
    codePage: [20, 'text', 4, 'blank'],
    optionLevel: [29, 'u8'],
    logicalUnit: [30, 'text', 8, 'blank'],
    transactionProgram: [38, 'text', 8, 'blank'],
    conversationId: [46, 'text', 8, 'blank'],
    appcVersion: [54, 'u8'],
    acceptInfo: [55, 'u8'],
    index: [56, 'i16'],
  },
} as const

const tailLayout = {
  name: 'gateway connect record',
  size: 6,
  constants: [[5, '00']],
  fields: { returnCode: [0, 'u32'], echo: [4, 'u8'] },
} as const

/** Bytes of the address that version 3 has between index and return code. */
const addressBytes = { 2: 0, 3: 16 } as const

/** Reads a record of 64 bytes (version 2) or 80 bytes (version 3). */
export function parseGatewayConnect(payload: Buffer): GatewayConnect | Refused {
  const head = readLayout(headLayout, payload)
  if (isRefused(head)) return head
  const { version } = head
  if (version !== 2 && version !== 3) return refuse(`${headLayout.name}: version ${version}`)
  const tailAt = headLayout.size + addressBytes[version]
  if (payload.length !== tailAt + tailLayout.size) return refuse(`${headLayout.name}: ${payload.length} bytes in version ${version}`)
  if (!/^\d{4}$/.test(head.codePage)) return refuse(`${headLayout.name}: code page is not four digits`)
  const tail = readLayout(tailLayout, payload, tailAt)
  return isRefused(tail) ? tail : { ...head, ...tail, version, ipv6: payload.subarray(headLayout.size, tailAt) }
}

/**
 * Renders a record.
 *
 * @throws TypeError for fields that do not fit and for code pages other than four digits.
 */
export function formatGatewayConnect(record: GatewayConnect): Buffer {
  if (!/^\d{4}$/.test(record.codePage)) throw new TypeError('a code page is four digits')
  if (record.ipv6.length !== addressBytes[record.version]) throw new TypeError('the IPv6 address belongs to version 3')
  return Buffer.concat([formatLayout(headLayout, record), record.ipv6, formatLayout(tailLayout, record)])
}

/** The record with which a client opens a conversation that needs no registration. Names longer than their fields are cut, as clients do. */
export function clientGatewayConnect(client: { readonly program: string; readonly hostName: string }): GatewayConnect {
  return {
    version: 2,
    requestType: gatewayRequestTypes.normalClient,
    ipv4: Buffer.alloc(4),
    ipv6: Buffer.alloc(0),
    service: client.program.slice(0, 10),
    codePage: codePages.latin1,
    optionLevel: 6,
    logicalUnit: client.hostName.slice(0, 8),
    transactionProgram: client.program.slice(0, 8),
    conversationId: '',
    appcVersion: 6,
    acceptInfo: 0xcb,
    index: -1,
    returnCode: 0,
    echo: 0,
  }
}

/** The record with which a gateway accepts a client, for peers that play one. */
export function acceptedGatewayConnect(client: GatewayConnect): GatewayConnect {
  return { ...client, codePage: codePages.utf16LittleEndian, optionLevel: 15, acceptInfo: 0xfb, returnCode: 0 }
}
