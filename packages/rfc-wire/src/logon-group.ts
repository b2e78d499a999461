import { maxGroupHostBytes } from './limits.ts'
import {
  anonymousName,
  formatMessageServerMessage,
  messageFlags,
  messageInterfaces,
  messageServerName,
  parseMessageServerMessage,
} from './message-server.ts'
import { formatLayout, readLayout } from './record-layout.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'

/** What a message server knows of a logon group: protocols.md 11.4. */
export type LogonGroupAnswer =
  | { readonly known: true; readonly group: string; readonly host: string; readonly dispatcherPort: number }
  /** `status` is what the server says; 0 where it only named no host. */
  | { readonly known: false; readonly group: string; readonly status: number }

/** Distances from the port of a dispatcher, 32NN, to the gateway of the same instance. */
export const gatewayPortDistance = { plain: 100, snc: 1600 } as const

const requestLayout = {
  name: 'logon group request',
  size: 96,
  constants: [
    [0, '2c000100'],
    [4, '00'.repeat(40)],
    [88, '0100000000340000'],
  ],
  fields: { blockBytes: [44, 'u32'], group: [48, 'text', 40, 'nul'] },
} as const

const replyLayout = {
  name: 'logon group reply',
  size: 96,
  constants: [
    [0, '2c'],
    [2, '0103'],
    [88, '0100'],
  ],
  fields: {
    opcodeError: [1, 'u8'],
    blockBytes: [44, 'u32'],
    group: [48, 'text', 40, 'nul'],
    status: [90, 'u16'],
    dispatcherPort: [92, 'u16'],
    hostBytes: [94, 'u16'],
  },
} as const

/**
 * Asks for the application server of a group.
 *
 * @throws TypeError for a group that is empty, longer than 40 characters or not printable.
 */
export function formatLogonGroupRequest(group: string): Buffer {
  if (group === '') throw new TypeError('a logon group without a name')
  return formatMessageServerMessage({
    errorNumber: 0,
    toName: messageServerName,
    fromName: anonymousName,
    flag: messageFlags.request,
    interfaceFlag: messageInterfaces.sendByName,
    body: formatLayout(requestLayout, { blockBytes, group }),
  })
}

/** Reads the request of a client, for peers that play message server. */
export function parseLogonGroupRequest(payload: Buffer): { readonly group: string } | Refused {
  const message = parseMessageServerMessage(payload)
  if (isRefused(message)) return message
  const { flag, interfaceFlag, toName, body } = message
  if (flag !== messageFlags.request || interfaceFlag !== messageInterfaces.sendByName || toName !== messageServerName) {
    return refuse('logon group request: not addressed to the message server')
  }
  if (body.length !== requestLayout.size) return refuse(`logon group request: not ${requestLayout.size} bytes behind the header`)
  const request = readLayout(requestLayout, body)
  if (isRefused(request)) return request
  if (!isBlockLength(request.blockBytes, request.group)) return refuse('logon group request: length of the name block')
  return request.group === '' ? refuse('logon group request: no name') : { group: request.group }
}

/** Reads the answer to {@link formatLogonGroupRequest}. A group that is not known is an ordinary answer; only an answer that breaks the format is refused. */
export function parseLogonGroupReply(payload: Buffer): LogonGroupAnswer | Refused {
  const message = parseMessageServerMessage(payload)
  if (isRefused(message)) return message
  if (message.errorNumber !== 0) return refuse(`message server: logon group answered with error ${message.errorNumber}`)
  if (message.flag !== messageFlags.reply || message.fromName !== messageServerName)
    return refuse('logon group reply: not a reply of the server')
  const reply = readLayout(replyLayout, message.body)
  if (isRefused(reply)) return reply
  const { group, hostBytes, dispatcherPort, opcodeError } = reply
  const status = reply.status === 0 ? opcodeError : reply.status
  if (status !== 0 || hostBytes === 0) return { known: false, group, status }
  const host = message.body.toString('latin1', replyLayout.size, replyLayout.size + hostBytes)
  if (hostBytes > maxGroupHostBytes || message.body.length !== replyLayout.size + hostBytes + 1)
    return refuse('logon group reply: length of the host')
  if (!/^[\x21-\x7e]+$/.test(host)) return refuse('logon group reply: the host is not printable')
  if (message.body.at(-1) !== 0x20) return refuse('logon group reply: no blank behind the host')
  // The gateway has to be a port as well.
  if (dispatcherPort === 0 || dispatcherPort + gatewayPortDistance.snc > 0xffff) return refuse('logon group reply: port of the dispatcher')
  return { known: true, group, host, dispatcherPort }
}

/**
 * Renders the answer of a message server, for peers that play one.
 *
 * @throws TypeError for what {@link parseLogonGroupReply} would refuse.
 */
export function formatLogonGroupReply(answer: LogonGroupAnswer): Buffer {
  const host = answer.known ? answer.host : ''
  const port = answer.known ? answer.dispatcherPort : 0
  if (answer.known && (!/^[\x21-\x7e]+$/.test(host) || host.length > maxGroupHostBytes)) throw new TypeError('the host of a logon group')
  if (answer.known && (port < 1 || port + gatewayPortDistance.snc > 0xffff)) throw new TypeError('the port of a dispatcher')
  const status = answer.known ? 0 : answer.status
  const fixed = { opcodeError: 0, blockBytes, group: answer.group, status, dispatcherPort: port, hostBytes: host.length }
  return formatMessageServerMessage({
    errorNumber: 0,
    toName: anonymousName,
    fromName: messageServerName,
    flag: messageFlags.reply,
    interfaceFlag: messageInterfaces.sendByName,
    body: Buffer.concat([formatLayout(replyLayout, fixed), Buffer.from(`${host} `, 'latin1')]),
  })
}

/** Length of the name block: four bytes and the field of the name. */
const blockBytes = 44

/** One client was seen to count the name without its filling. */
function isBlockLength(length: number, group: string): boolean {
  return length === blockBytes || length === 4 + group.length
}
