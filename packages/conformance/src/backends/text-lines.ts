import type { Duplex } from 'node:stream'
import type { FarEnd } from '../far-side.ts'

/** Calls back for every line of a client, without its end, and ends when the client has ended. For servers of text protocols. */
export function onLine(stream: Duplex, callback: (line: string) => void): void {
  let held = ''
  stream.on('error', () => {})
  stream.on('end', () => stream.end())
  stream.on('data', (chunk: Buffer) => {
    held += chunk.toString('utf8')
    for (let end = held.indexOf('\r\n'); end >= 0; end = held.indexOf('\r\n')) {
      const line = held.slice(0, end)
      held = held.slice(end + 2)
      callback(line)
    }
  })
}

/** A server that greets with this and then only listens. */
export function greetingWith(greeting: string): (far: FarEnd) => void {
  return ({ stream }) => {
    onLine(stream, () => {})
    stream.write(greeting)
  }
}

/** What a server of another protocol says to whoever speaks too early. */
export const pageOfHtml: string = 'HTTP/1.1 400 Bad Request\r\n\r\n<html>'
