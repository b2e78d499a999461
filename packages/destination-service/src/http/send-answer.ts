import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Answer } from './answer.ts'

/** Writes an answer, with the correlation id that the caller or we have given the request. */
export function sendAnswer(reply: FastifyReply, answer: Answer, correlationId: string): FastifyReply {
  reply.code(answer.status)
  if (answer.headers !== undefined) reply.headers(answer.headers)
  reply.header('x-request-id', correlationId)
  reply.header('x-vcap-request-id', correlationId)
  // Answers hold credentials; caches on the way must not keep them.
  reply.header('cache-control', 'no-store')
  // Somebody who keeps the connection open would keep a service from closing.
  if (!reply.server.server.listening) reply.header('connection', 'close')
  const { body, text = body === undefined ? undefined : JSON.stringify(body), stream } = answer
  if (text === undefined && stream === undefined) return reply.send()
  reply.header('content-type', 'application/json; charset=utf-8')
  return reply.send(stream === undefined ? text : Readable.from(stream, { objectMode: false }))
}
