import type { Socket } from 'node:net'
import { ConnectivityError } from '@sallyport/core'
import {
  formatLogonGroupRequest,
  formatMessageServerLogin,
  formatMessageServerLogout,
  isRefused,
  parseLogonGroupReply,
  parseMessageServerMessage,
  type Refused,
  readLoginAnswer,
} from '@sallyport/rfc-wire'
import { maxMessageServerAnswerBytes } from '../limits.ts'
import { openNiDialogue } from './ni-dialogue.ts'

/**
 * Asks a message server which application server a logon group has now: protocols.md 11.4. Logs out and closes.
 *
 * @throws ConnectivityError `BACKEND_UNREACHABLE`; a group that is not known is named.
 */
export async function findApplicationServer(
  socket: Socket,
  group: string,
  system: string,
): Promise<{ readonly host: string; readonly dispatcherPort: number }> {
  const who = `Unable to open connection to backend system ${system}: the message server`
  const fail = (what: string): ConnectivityError => new ConnectivityError('BACKEND_UNREACHABLE', `${who} ${what}`)
  const dialogue = openNiDialogue(socket, { maxPayloadBytes: maxMessageServerAnswerBytes, who })
  const ask = async <T extends object>(request: Buffer, read: (payload: Buffer) => T | Refused): Promise<T> => {
    dialogue.send(request)
    const answer = await dialogue.receive()
    if (answer.kind !== 'message') throw fail('does not speak the protocol')
    const result = read(answer.payload)
    if (isRefused(result)) throw fail(`is not understood (${result.refused})`)
    return result
  }
  await ask(formatMessageServerLogin(), (payload) => {
    const message = parseMessageServerMessage(payload)
    return isRefused(message) ? message : readLoginAnswer(message)
  })
  const answer = await ask(formatLogonGroupRequest(group), parseLogonGroupReply)
  dialogue.send(formatMessageServerLogout())
  // What it still says, or how it closes, interests nobody.
  dialogue
    .release()
    .on('error', () => {})
    .destroySoon()
  if (answer.group !== group) throw fail('answers for another logon group')
  if (!answer.known) throw fail(`does not know the logon group "${group}", or has no server for it`)
  return { host: answer.host, dispatcherPort: answer.dispatcherPort }
}
