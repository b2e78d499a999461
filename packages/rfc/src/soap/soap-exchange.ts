import { abortedError, ConnectivityError, type ErrorCode } from '@sallyport/core'
import { maxAnswerBytes } from '../limits.ts'
import { rfcError } from '../rfc-errors.ts'
import { decodeXml } from './decode-body.ts'
import type { SoapCarrier } from './soap-carrier.ts'
import { parseXml, type XmlElement, XmlError, type XmlParserClass } from './xml-tree.ts'

/** One request over HTTP and the document that answers it. */
export interface SoapExchange {
  readonly carrier: SoapCarrier
  readonly Parser: XmlParserClass
  readonly attempt: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

/** The status of an answer, and its document where it is one. */
export interface SoapAnswer {
  readonly status: number
  readonly document: XmlElement | undefined
  /** How the body begins. */
  readonly text: string
  /** Set by proxies and connectors on answers of their own. */
  readonly isOfTheWay: boolean
}

/** Errors of a carrier after which no byte of the request can have left. */
const beforeSending: readonly ErrorCode[] = [
  'ACCESS_DENIED',
  'CONNECTOR_NOT_CONNECTED',
  'DESTINATION_INVALID',
  'DESTINATION_NOT_FOUND',
  'BACKEND_UNTRUSTED',
  'MESSAGE_INVALID',
  'PEER_UNREACHABLE',
  'PEER_UNTRUSTED',
  'PROXY_AUTHORIZATION_REQUIRED',
  'TOKEN_INVALID',
  'TOKEN_NOT_ISSUED',
]

/** Sends once and reads the whole answer. @throws ConnectivityError of the group `COMMUNICATION`. */
export async function exchangeSoap({ carrier, Parser, attempt, method, path, headers, body, signal }: SoapExchange): Promise<SoapAnswer> {
  try {
    const response = await carrier.request(path, { method, headers, signal, ...(body === undefined ? {} : { body }) })
    const bytes = await readBody(response, attempt)
    const isOfTheWay = response.headers.get('x-connectivity-error-origin') !== null
    const contentType = response.headers.get('content-type')
    const parsed = parse(Parser, bytes, contentType)
    if (parsed.error !== undefined && response.status === 200) {
      const text = `${parsed.error}: ${parsed.text.slice(0, shownCharacters)}`
      throw rfcError('COMMUNICATION', attempt, { text, code: 'PROTOCOL_VIOLATION', requestSent: true })
    }
    return { status: response.status, document: parsed.document, text: parsed.text, isOfTheWay }
  } catch (error) {
    if (signal.aborted) throw abortedError(signal, attempt)
    throw carrierError(attempt, error)
  }
}

/** An error of the HTTP client, with its code. */
export function carrierError(attempt: string, error: unknown): ConnectivityError {
  if (!ConnectivityError.is(error))
    return rfcError('COMMUNICATION', attempt, { text: 'the HTTP client failed', cause: error, requestSent: true })
  if (error.details['group'] !== undefined) return error
  return rfcError('COMMUNICATION', attempt, {
    text: error.message,
    code: error.code,
    cause: error,
    requestSent: !beforeSending.includes(error.code),
  })
}

/** What is shown of a body that is not what it should be (protocols.md 13.4). */
const shownCharacters = 200

interface Parsed {
  readonly document?: XmlElement
  readonly error?: string
  readonly text: string
}

function parse(Parser: XmlParserClass, bytes: Buffer, contentType: string | null): Parsed {
  // Enough of a page to find its words between its styles.
  const text = bytes.subarray(0, shownCharacters * 20).toString('utf8')
  try {
    return { document: parseXml(Parser, decodeXml(bytes, contentType)), text }
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    return { error: `the answer cannot be read, ${error.message}`, text }
  }
}

async function readBody(response: Response, attempt: string): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.length
    if (length > maxAnswerBytes) {
      throw rfcError('COMMUNICATION', attempt, {
        text: `the answer has more than ${maxAnswerBytes} bytes; ask for less, or leave tables out (notRequested)`,
        code: 'PROTOCOL_VIOLATION',
        requestSent: true,
      })
    }
    parts.push(part)
  }
  return Buffer.concat(parts)
}
