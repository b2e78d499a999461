import type { Socket } from 'node:net'
import { type Answer, errorAnswer, refuse } from './answer.ts'
import { maxBodyBytes, maxHeaderBytes } from '../limits.ts'

/** What fastify itself refuses, in the form and with the words of this service. */
export function answerFastifyError(error: unknown): Answer {
  const { code, statusCode } = error as { readonly code?: string; readonly statusCode?: number }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return refuse(413, `The request body must not be larger than ${maxBodyBytes} bytes`)
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return refuse(415, 'The request body must be application/json')
    case 'FST_ERR_BAD_URL':
      return refuse(400, 'The path is not percent-encoded properly')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return refuse(400, 'The request body is not as long as the header Content-Length says')
    default:
      // Anything else that fastify calls the client's fault; its words might quote the request.
      return statusCode !== undefined && statusCode >= 400 && statusCode < 500
        ? refuse(statusCode, 'The request is malformed')
        : errorAnswer(error)
  }
}

/** What Node's parser refuses before there is a request. The connection is of no use afterwards. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, reason, message } = parserRefusals[error.code ?? ''] ?? parserRefusals['']
  const body = JSON.stringify({ ErrorMessage: message })
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  )
  socket.destroySoon()
}

interface ParserRefusal {
  readonly status: number
  readonly reason: string
  readonly message: string
}

const parserRefusals: Readonly<Record<string, ParserRefusal>> & { readonly '': ParserRefusal } = {
  '': { status: 400, reason: 'Bad Request', message: 'The request is not valid HTTP' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: 'Request Timeout', message: 'The request was not sent in time' },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: 'Request Header Fields Too Large',
    message: `The request headers must not be larger than ${maxHeaderBytes} bytes`,
  },
}
