import { once } from 'node:events'
import { connect } from 'node:net'

/** What came back for bytes that were sent on a connection of their own, both directions ended. */
export interface Answer {
  readonly localPort: number
  readonly text: string
}

/** Sends the bytes, ends our direction and gathers the answer until the server has ended its own. `onConnected` runs before the first byte leaves. */
export async function sendWhole(port: number, bytes: Buffer, onConnected: (localPort: number) => void = () => {}): Promise<Answer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  const localPort = socket.localPort ?? 0
  onConnected(localPort)
  let text = ''
  socket.setEncoding('latin1').on('data', (more: string) => (text += more))
  // A server that refuses resets the connection while we are still writing; what it said before counts all the same.
  socket.on('error', () => {})
  socket.on('end', () => socket.end())
  socket.end(bytes)
  await new Promise((resolve) => socket.once('close', resolve))
  return { localPort, text }
}

/** Whether the server said that it ends the connection of its own accord, rather than because we ended our direction. */
export function announcesClose(text: string): boolean {
  const lastHead = text.lastIndexOf('HTTP/1.')
  return lastHead >= 0 && /\r\nConnection: close\r\n/i.test(text.slice(lastHead))
}
