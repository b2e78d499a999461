import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import type { DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { maxCheckAnswerBytes, maxTokenAnswerHeaderBytes } from '../limits.ts'

/** What a target says to a request that wants nothing of it. */
export interface Probe {
  readonly status: number
  /** `proxy` or `connector` when one of them has answered instead of the target; always `undefined` on the Internet. */
  readonly origin: string | undefined
  /** The beginning of the body; empty for `HEAD`. */
  readonly text: string
}

/** Sends one request on a connection that is open, and ends the connection. The answer to `GET` is read as far as it is shown. */
export function probe(
  socket: Duplex,
  sent: { readonly method: 'HEAD' | 'GET'; readonly path: string; readonly headers: Readonly<Record<string, string>> },
  deadline: AbortSignal,
): Promise<Probe> {
  return new Promise<Probe>((resolve, reject) => {
    let answered = false
    const outgoing = request({
      ...sent,
      // Without an agent, which would open a connection of its own.
      createConnection: () => socket,
      setHost: false,
      maxHeaderSize: maxTokenAnswerHeaderBytes,
      signal: deadline,
    })
    outgoing.once('error', reject)
    // A target that changes to another protocol ends the request with neither an answer nor an error.
    outgoing.once('close', () => {
      if (!answered) reject(new ConnectivityError('PROTOCOL_VIOLATION', 'the target does not answer the request'))
    })
    outgoing.once('response', (answer) => {
      answered = true
      const origin = answer.headers['x-connectivity-error-origin']
      const chunks: Buffer[] = []
      let length = 0
      const settle = (): void => {
        const text = Buffer.concat(chunks).subarray(0, maxCheckAnswerBytes).toString('utf8').trim()
        resolve({ status: answer.statusCode ?? 0, origin: typeof origin === 'string' ? origin : undefined, text })
      }
      // Only refusals are read, for their reason; of anything else the status is enough.
      if (origin === undefined || sent.method === 'HEAD') return settle()
      answer.on('data', (chunk: Buffer) => {
        length += chunk.length
        chunks.push(chunk)
        if (length > maxCheckAnswerBytes) answer.destroy()
      })
      answer.once('close', settle)
      return undefined
    })
    outgoing.end()
  }).finally(() => socket.destroy())
}

/** What every request of a check carries: technical credentials where the destination has them, nothing that would have to be fetched first. */
export function probeHeaders(configuration: DestinationRecord, host: string): Record<string, string> {
  const { Authentication: authentication, User: user, Password: password = '' } = configuration
  const basic = Buffer.from(`${user}:${password}`, 'utf8').toString('base64')
  return {
    host,
    accept: '*/*',
    connection: 'close',
    ...(authentication === 'BasicAuthentication' && user ? { authorization: `Basic ${basic}` } : {}),
  }
}

/** Whether `HEAD` says too little of the target, because many do not know it. */
export function needsGet(status: number): boolean {
  return status >= 500 || status === 405
}
