import type { Socket } from 'node:net'
import { ConnectivityError } from '@sallyport/core'
import { formatRouteRequest, isRefused, niReturnCodeName, parseRouterError, type RouteHop } from '@sallyport/rfc-wire'
import { maxRouterAnswerBytes } from '../limits.ts'
import { openNiDialogue } from './ni-dialogue.ts'

/**
 * Asks the SAProuter at the other end of the socket for a route to the last of the hops: protocols.md 11.3. The socket is connected to that hop afterwards.
 *
 * @throws ConnectivityError `BACKEND_UNREACHABLE` with the name of the return code. What SAProuter says in words names hosts and stays here.
 */
export async function passRouter(socket: Socket, hops: readonly RouteHop[], system: string): Promise<Socket> {
  const who = `Unable to open connection to backend system ${system}: the SAProuter on the way`
  const dialogue = openNiDialogue(socket, { maxPayloadBytes: maxRouterAnswerBytes, who })
  dialogue.send(formatRouteRequest({ hops, passedHops: 1, talkMode: 0 }))
  const answer = await dialogue.receive()
  if (answer.kind === 'pong') return dialogue.release()
  const error = parseRouterError(answer.payload)
  const details = isRefused(error) ? { cause: error.refused } : { cause: niReturnCodeName(error.returnCode) }
  throw new ConnectivityError('BACKEND_UNREACHABLE', `${who} refuses the route (${details.cause})`, { details })
}
