import { formatRequestHead } from '@sallyport/http-head'
import type { BackendSession } from './backend-session.ts'
import type { Exchange } from './exchange.ts'
import { transformRequestLines } from './request-transformation.ts'

/** Sends the head of an admitted request, and what there is of its body already. `false`: the backend has no room for more. */
export function sendRequest(current: Exchange, backend: BackendSession): boolean {
  const { head, held, raw, requestDone, upgradeAsked } = current
  const lines = transformRequestLines(current)
  // Byte for byte, unless something is to change or the first line has something about it that is not repeated.
  const repeats = lines === undefined && head.minorVersion === 1 && raw[0] !== 13
  const bytes = repeats ? raw : formatRequestHead(head.method, head.target, lines ?? head.lines)
  current.bytesToBackend += bytes.length
  current.reused = backend.requests > 0
  const more = !requestDone || held.length > 0
  let hasRoom = backend.send(bytes, { method: head.method, upgradeAsked: upgradeAsked !== undefined, more })
  for (const piece of held) {
    current.bytesToBackend += piece.length
    hasRoom = backend.write(piece)
  }
  current.held = []
  return hasRoom
}
