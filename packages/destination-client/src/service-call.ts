import type { ClientRequest, IncomingMessage } from 'node:http'
import { abortedError, ConnectivityError, type Secret, withDeadline } from '@sallyport/core'
import { callError, connectTimeoutError } from './destination-errors.ts'
import { connectTimeoutMs as defaultConnectTimeoutMs } from './limits.ts'
import type { ServiceConnections } from './service-connections.ts'

/** One call with its bounds. */
interface ServiceRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** What is being done, for messages. */
  readonly attempt: string
}

/** What a service answered, read to its end. */
export interface ServiceAnswer {
  readonly status: number
  /** Parsed JSON; `undefined` when the answer is none. */
  readonly body: unknown
}

/** Calls services over connections of its own. Redirects are answers like others and never followed. */
export interface ServiceCaller extends AsyncDisposable {
  call(request: ServiceRequest): Promise<ServiceAnswer>
}

/** Whom a caller trusts and as whom it presents itself. */
export interface ServiceCallerOptions {
  /** PEM certificates of authorities to trust besides Node's own. */
  readonly ca?: readonly string[]
  readonly certificate?: string
  readonly key?: Secret
  /** Limit of one new connection, TLS included. */
  readonly connectTimeoutMs?: number
}

/** Makes a caller with its own trust and, for mutual TLS, its own certificate. */
export function createServiceCaller(options: ServiceCallerOptions): ServiceCaller {
  // Node's HTTP modules take twenty milliseconds to load: a program that only reads a binding or stops early need not wait.
  let connections: Promise<ServiceConnections> | undefined
  const open = (): Promise<ServiceConnections> =>
    (connections ??= import('./service-connections.ts').then(({ createServiceConnections }) => createServiceConnections(options)))
  return {
    async call({ method, url, headers, body, maxBytes, signal, attempt }) {
      const { request: begin } = await open()
      if (signal.aborted) throw abortedError(signal, attempt)
      let request: ClientRequest | undefined
      try {
        request = begin(url, { method, headers, signal })
        limitConnecting(request, options.connectTimeoutMs ?? defaultConnectTimeoutMs, attempt)
        const answer = await answerOf(request, body)
        const bytes = await readBounded(answer, maxBytes, attempt)
        return { status: answer.statusCode ?? 0, body: tryParseJson(bytes) }
      } catch (error) {
        request?.destroy()
        throw signal.aborted ? abortedError(signal, attempt) : callError(attempt, error)
      }
    },
    async [Symbol.asyncDispose]() {
      const opened = await connections
      opened?.destroy()
    },
  }
}

/** Ends a request whose new connection takes too long; the rest of its time is for the answer. */
function limitConnecting(request: ClientRequest, timeoutMs: number, attempt: string): void {
  request.once('socket', (socket) => {
    if (!socket.connecting) return
    const limit = withDeadline(timeoutMs)
    const giveUp = (): void => void request.destroy(connectTimeoutError(attempt, timeoutMs))
    limit.addEventListener('abort', giveUp)
    const done = (): void => limit.removeEventListener('abort', giveUp)
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', done)
    request.once('close', done)
  })
}

function answerOf(request: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    // Not once: a connection may break again after the answer was refused.
    request.on('error', reject)
    request.end(body)
  })
}

async function readBounded(answer: IncomingMessage, maxBytes: number, attempt: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tryParseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    // The caller says what is wrong with an answer that is not JSON; the text itself may be a token.
    return undefined
  }
}
