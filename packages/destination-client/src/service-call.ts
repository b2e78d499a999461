import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { getCACertificates } from 'node:tls'
import { abortedError, ConnectivityError, type Secret } from '@sallyport/core'
import { callError } from './destination-errors.ts'
import { idleSocketMs, maxHeadBytes, maxSockets } from './limits.ts'

export interface ServiceRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** What is being done, for messages. */
  readonly attempt: string
}

export interface ServiceAnswer {
  readonly status: number
  /** Parsed JSON; `undefined` when the answer is none. */
  readonly body: unknown
}

/** Calls services over connections of its own. Redirects are answers like others and never followed. */
export interface ServiceCaller extends AsyncDisposable {
  call(request: ServiceRequest): Promise<ServiceAnswer>
}

export interface ServiceCallerOptions {
  /** PEM certificates of authorities to trust besides Node's own. */
  readonly ca?: readonly string[]
  readonly certificate?: string
  readonly key?: Secret
}

export function createServiceCaller({ ca = [], certificate, key }: ServiceCallerOptions): ServiceCaller {
  const shared = { keepAlive: true, maxSockets, timeout: idleSocketMs }
  const plain = new HttpAgent(shared)
  // Made at the first call: reading all trusted authorities takes time that a short-lived program need not spend.
  let secure: HttpsAgent | undefined
  const secureAgent = (): HttpsAgent =>
    (secure ??= new HttpsAgent({
      ...shared,
      ...(ca.length === 0 ? {} : { ca: [...getCACertificates('default'), ...ca] }),
      ...(certificate === undefined ? {} : { cert: certificate, key: key?.reveal() }),
    }))
  return {
    async call({ method, url, headers, body, maxBytes, signal, attempt }) {
      if (signal.aborted) throw abortedError(signal, attempt)
      const options = { method, headers, signal, maxHeaderSize: maxHeadBytes }
      const request =
        url.protocol === 'https:' ? httpsRequest(url, { ...options, agent: secureAgent() }) : httpRequest(url, { ...options, agent: plain })
      try {
        const answer = await answerOf(request, body)
        const bytes = await readBounded(answer, maxBytes, attempt)
        return { status: answer.statusCode ?? 0, body: tryParseJson(bytes) }
      } catch (error) {
        request.destroy()
        throw signal.aborted ? abortedError(signal, attempt) : callError(attempt, error)
      }
    },
    async [Symbol.asyncDispose]() {
      plain.destroy()
      secure?.destroy()
    },
  }
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
