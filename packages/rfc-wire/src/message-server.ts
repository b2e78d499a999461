import { formatLayout, readLayout } from './record-layout.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'

/** Direction and purpose of a message: protocols.md 11.4. */
export const messageFlags = { none: 0, oneWay: 1, request: 2, reply: 3, administration: 4 } as const

/** What a message asks the message server to do. */
export const messageInterfaces = { sendByName: 1, login: 3, logout: 4, administration: 5, login2: 8 } as const

/** How the message server itself is addressed. */
export const messageServerName = 'MSG_SERVER'

/** The name of somebody who is not registered. */
export const anonymousName = '-'

/** One message to or from a message server. */
export interface MessageServerMessage {
  /** 0; anything else says that the server did not accept the message. */
  readonly errorNumber: number
  readonly toName: string
  readonly fromName: string
  /** One of {@link messageFlags}. */
  readonly flag: number
  /** One of {@link messageInterfaces}. */
  readonly interfaceFlag: number
  /** What follows the header; a view of what was parsed. */
  readonly body: Buffer
}

const headerLayout = {
  name: 'message server header',
  size: 110,
  constants: [
    [0, '2a2a4d4553534147452a2a00'],
    [12, '04'],
  ],
  fields: {
    errorNumber: [13, 'u8'],
    toName: [14, 'text', 40, 'blank'],
    flag: [66, 'u8'],
    interfaceFlag: [67, 'u8'],
    fromName: [68, 'text', 40, 'blank'],
  },
} as const

/** Reads a message. Its type, domain, key and port are not looked at: they concern registered servers. */
export function parseMessageServerMessage(payload: Buffer): MessageServerMessage | Refused {
  const header = readLayout(headerLayout, payload)
  return isRefused(header) ? header : { ...header, body: payload.subarray(headerLayout.size) }
}

/**
 * Renders a message.
 *
 * @throws TypeError for names of more than 40 characters or not printable.
 */
export function formatMessageServerMessage(message: MessageServerMessage): Buffer {
  return Buffer.concat([formatLayout(headerLayout, message), message.body])
}

/** The first message of a client that does not register. */
export function formatMessageServerLogin(): Buffer {
  return control(messageFlags.request, messageInterfaces.login2)
}

/** The last message; nothing answers it. */
export function formatMessageServerLogout(): Buffer {
  return control(messageFlags.none, messageInterfaces.logout)
}

/** Whether the answer to a login lets go on; the reason for the operator otherwise. */
export function readLoginAnswer(message: MessageServerMessage): { readonly accepted: true } | Refused {
  if (message.errorNumber !== 0) return refuse(`message server: login answered with error ${message.errorNumber}`)
  if (message.fromName !== messageServerName) return refuse('message server: login answered by somebody else')
  return { accepted: true }
}

function control(flag: number, interfaceFlag: number): Buffer {
  const body = Buffer.alloc(0)
  return formatMessageServerMessage({ errorNumber: 0, toName: anonymousName, fromName: anonymousName, flag, interfaceFlag, body })
}
