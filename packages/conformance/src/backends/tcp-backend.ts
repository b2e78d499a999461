import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
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
    // Has nothing to say after the beginning: the other half goes on by itself.
    serve: ({ stream }) => void stream.resume().end('go on'),
    async send(client, content, signal) {
      const stream = await client.socket({ signal })
      const answer = await underSignal(text(stream), signal, 'wait for the end of the other half')
      if (answer !== 'go on') throw new ConnectivityError('PROTOCOL_VIOLATION', 'the backend is another')
      await pipeline(content, stream, { signal })
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
