import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { ConnectivityError, parseDestination, type ProtocolClient, type TcpDestination, underSignal } from '@sallyport/core'
import type { FarEnd } from '../far-side.ts'
import type { ScriptedBackend } from './scripted-backend.ts'

interface TcpAsks extends ProtocolClient {
  socket(options: { readonly signal: AbortSignal }): Promise<Duplex>
}

const question = 'question'
const lastWords = ', and nothing more'

/** Sends back what arrives, and ends when the client has ended. */
export const tcpBackend: ScriptedBackend<'TCP', TcpAsks> = {
  destination: ({ host, port }, locationId = 'orlando') =>
    parseDestination({
      Name: 'ECHO',
      Type: 'TCP',
      Address: `tcp://${host}:${port}`,
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: locationId,
    }) as TcpDestination,
  serve: ({ stream }) => void stream.pipe(stream),
  async work(client, signal) {
    const stream = await client.socket({ signal })
    try {
      await underSignal(converse(stream), signal, 'read the echo')
    } finally {
      stream.destroy()
    }
  },
  longAnswer: {
    serve: ({ stream }, content) => void content.pipe(stream),
    async *ask(client, signal) {
      yield* await client.socket({ signal })
    },
  },
  longRequest: {
    serve: ({ stream }) => void stream.resume().once('end', () => stream.end('taken')),
    async send(client, content, signal) {
      const stream = await client.socket({ signal })
      const answer = await underSignal(text(content.pipe(stream)), signal, 'send a long request')
      if (answer !== 'taken') throw new ConnectivityError('PROTOCOL_VIOLATION', 'the backend has not taken it')
    },
  },
  beginAnswer: ({ stream }) => void stream.write(question.slice(0, 4)),
  hostile: {
    'an echo that ends early': replying((stream) => stream.end(question.slice(0, 4))),
    'another echo': replying((stream) => stream.end('whatever')),
  },
  features: { basic: false, header: false, principal: false, locations: true, answers: true, longAnswers: true, longRequests: true },
}

function replying(reply: (stream: Duplex) => unknown): (far: FarEnd) => void {
  return ({ stream }) => void stream.once('data', () => reply(stream)).resume()
}

/** Uses both halves: what is said before and after the first answer comes back, also what is said with the end. */
async function converse(stream: Duplex): Promise<void> {
  stream.write(question)
  let answer = ''
  try {
    for await (const chunk of stream) {
      const before = answer
      answer += String(chunk)
      if (before.length < question.length && answer.length >= question.length) stream.end(lastWords)
    }
  } catch (cause) {
    throw ConnectivityError.is(cause) ? cause : new ConnectivityError('BACKEND_UNREACHABLE', 'the connection broke', { cause })
  }
  if (answer !== question + lastWords) throw new ConnectivityError('PROTOCOL_VIOLATION', 'this is no echo')
}
