import {
  formatLogonGroupRequest,
  formatMessageServerLogin,
  formatMessageServerLogout,
  gatewayPortDistance,
  isRefused,
  parseLogonGroupReply,
  parseMessageServerMessage,
  readLoginAnswer,
} from '@sallyport/rfc-wire'
import { rfcError } from '../rfc-errors.ts'
import { violationError } from './classic-errors.ts'
import type { NiLink } from './ni-link.ts'

/** The application server that a message server has chosen. */
export interface ChosenServer {
  readonly host: string
  /** Of its gateway. */
  readonly port: number
}

/** Asks a message server for the application server of a logon group: protocols.md 11.4. Closes the link. @throws ConnectivityError. */
export async function lookUpLogonGroup(link: NiLink, group: string, attempt: string, signal: AbortSignal): Promise<ChosenServer> {
  const violation = (what: string): Error => violationError(attempt, what, false, 'a message server (port 36NN)')
  try {
    const answer = await link.exchange({ attempt, signal }, async (turn) => {
      await turn.send(formatMessageServerLogin())
      const login = parseMessageServerMessage(await turn.receive())
      if (isRefused(login)) throw violation(login.refused)
      const accepted = readLoginAnswer(login)
      if (isRefused(accepted)) throw rfcError('COMMUNICATION', attempt, { text: accepted.refused, requestSent: false })
      await turn.send(formatLogonGroupRequest(group))
      const reply = parseLogonGroupReply(await turn.receive())
      if (isRefused(reply)) throw violation(reply.refused)
      return reply
    })
    if (answer.known) return { host: answer.host, port: answer.dispatcherPort + gatewayPortDistance.plain }
    const text = `the message server knows no logon group "${group}" with a running server (status ${answer.status}); check jco.client.group`
    throw rfcError('LOGON', attempt, { text, requestSent: false, code: 'DESTINATION_INVALID' })
  } finally {
    await link.close(formatMessageServerLogout())
  }
}
