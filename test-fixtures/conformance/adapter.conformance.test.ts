import { type Duplex, PassThrough, type Readable } from 'node:stream'
import { text as readAll } from 'node:stream/consumers'
import {
  abortedError,
  type Address,
  ConnectivityError,
  type ConnectContext,
  type ProtocolAdapter,
  type ProtocolClient,
  parseDestination,
  type TcpDestination,
} from '@sallyport/core'
import { createMemoryNetwork } from '../src/index.ts'
import { describe, expect, it } from 'vitest'
import {
  adapterCases,
  type AdapterCaseName,
  type AdapterParts,
  type Demand,
  type FarEnd,
  type FarSide,
  runAdapterCase,
} from '@sallyport/conformance/cases'
import { describeAdapter } from '@sallyport/conformance'

/**
 * The reference: a protocol of two lines. The client sends `<credentials>|<word>`, the backend answers `<length>:<word>`.
 * Every member of this table is one promise of the contract that can be replaced by a broken one.
 */
const promises = {
  present: ({ credentials, principal }: Pick<ConnectContext, 'credentials' | 'principal'>): string =>
    [
      credentials.kind === 'basic' ? `${credentials.user}/${credentials.password.reveal()}` : '',
      credentials.kind === 'header' ? credentials.value.reveal() : '',
      credentials.kind === 'principal' ? (principal?.token.reveal() ?? '') : '',
    ].join('+'),
  demandPrincipal: ({ credentials, principal }: ConnectContext): void => {
    if (credentials.kind === 'principal' && principal === undefined)
      throw new ConnectivityError('DESTINATION_INVALID', 'no principal is at hand')
  },
  begin: (signal: AbortSignal): void => {
    if (signal.aborted) throw abortedError(signal, 'connect')
  },
  dialError: (error: unknown): unknown => error,
  locationId: (destination: TcpDestination): string => destination.locationId,
  wait: <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
    Promise.race([
      work,
      new Promise<never>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(abortedError(signal, 'work')), { once: true }),
      ),
    ]),
  brokenStream: (error: unknown): unknown => new ConnectivityError('BACKEND_UNREACHABLE', 'the backend broke off', { cause: error }),
  maxLength: 100,
  whole: (word: string, length: number): boolean => word.length >= length,
  log: (_context: ConnectContext): void => {},
  answers: (sent: string, received: string): boolean => sent === received,
  closed: (isClosed: boolean): void => {
    if (isClosed) throw new ConnectivityError('ABORTED', 'the client is closed')
  },
  finish: (stream: Duplex): void => void stream.end(),
  handOn: (stream: Duplex): AsyncIterable<Buffer> => stream,
  takeFrom: (content: Readable): Readable => content,
  close: (streams: ReadonlySet<Duplex>): void => {
    for (const stream of streams) stream.destroy()
  },
}
type Promises = typeof promises

interface WordClient extends ProtocolClient {
  say(word: string, signal: AbortSignal): Promise<void>
  /** Asks for a word without end, which comes as it is. */
  listen(signal: AbortSignal): AsyncIterable<Buffer>
  /** Says a word without end. */
  tell(content: Readable, signal: AbortSignal): Promise<void>
}

/** Takes everything at once, whether somebody wants it or not. */
function collect(source: Readable): PassThrough {
  const all = new PassThrough({ highWaterMark: Number.MAX_SAFE_INTEGER })
  source.pipe(all)
  return all
}

function createWordAdapter(changed: Partial<Promises> = {}): ProtocolAdapter<'TCP', WordClient> {
  const kept = { ...promises, ...changed }
  return {
    protocol: 'word',
    destinationType: 'TCP',
    async connect(destination, context) {
      kept.begin(context.signal)
      kept.demandPrincipal(context)
      kept.log(context)
      const streams = new Set<Duplex>()
      let isClosed = false
      const say = async (word: string, signal: AbortSignal): Promise<void> => {
        kept.closed(isClosed)
        let stream: Duplex
        try {
          stream = await context.dial(destination.address, { signal, locationId: kept.locationId(destination) })
        } catch (error) {
          throw kept.dialError(error)
        }
        streams.add(stream)
        stream.write(`${kept.present(context)}|${word}\n`)
        try {
          const answer = await kept.wait(readAnswer(stream, kept), signal)
          if (!kept.answers(word, answer)) throw new ConnectivityError('PROTOCOL_VIOLATION', 'this is another word')
        } finally {
          stream.on('error', () => {})
          kept.finish(stream)
        }
      }
      const open = async (signal: AbortSignal): Promise<Duplex> => {
        const stream = await context.dial(destination.address, { signal, locationId: kept.locationId(destination) })
        streams.add(stream)
        return stream
      }
      return {
        say,
        async *listen(signal) {
          yield* kept.handOn(await open(signal))
        },
        async tell(content, signal) {
          const answer = await kept.wait(readAll(kept.takeFrom(content).pipe(await open(signal))), signal)
          if (answer !== 'taken') throw kept.brokenStream(undefined)
        },
        ping: (signal) => say('ping', signal),
        async [Symbol.asyncDispose]() {
          isClosed = true
          kept.close(streams)
        },
      }
    },
  }
}

async function readAnswer(stream: Duplex, kept: Promises): Promise<string> {
  let text = ''
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      text += chunk.toString('latin1')
      const [length, rest] = text.split(':', 2)
      if (rest === undefined ? text.length > 5 : Number(length) > kept.maxLength || Number.isNaN(Number(length))) {
        throw new ConnectivityError('PROTOCOL_VIOLATION', 'the length is out of bounds')
      }
      if (rest !== undefined && kept.whole(rest, Number(length))) return rest.slice(0, Number(length))
    }
  } catch (error) {
    throw ConnectivityError.is(error) ? error : kept.brokenStream(error)
  }
  throw kept.brokenStream(undefined)
}

function serveWords({ stream }: FarEnd, demand: Demand): void {
  stream.on('end', () => stream.end())
  stream.on('data', (chunk: Buffer) => {
    const [presented, word = ''] = chunk.toString('latin1').trim().split('|')
    const accepted =
      presented ===
      promises.present({ credentials: demand.credentials, ...(demand.principal === undefined ? {} : { principal: demand.principal }) })
    stream.write(accepted ? `${word.length}:${word}` : '2:no')
  })
}

const after = (play: (stream: Duplex) => void) => {
  return ({ stream }: FarEnd): void => {
    stream.on('end', () => stream.end())
    stream.once('data', () => play(stream))
  }
}

function partsOf(changed: Partial<Promises> = {}): AdapterParts<'TCP', WordClient, FarSide> {
  return {
    open: async () => createMemoryNetwork(),
    create: () => createWordAdapter(changed),
    destination: ({ host, port }: Address) =>
      parseDestination({
        Name: 'W',
        Type: 'TCP',
        Address: `${host}:${port}`,
        ProxyType: 'OnPremise',
        CloudConnectorLocationId: 'orlando',
      }) as TcpDestination,
    serve: serveWords,
    work: (client, signal) => client.say('word', signal),
    longAnswer: { serve: ({ stream }, content) => void content.pipe(stream), ask: (client, signal) => client.listen(signal) },
    longRequest: {
      serve: ({ stream }) => void stream.resume().once('end', () => stream.end('taken')),
      send: (client, content, signal) => client.tell(content, signal),
    },
    beginAnswer: ({ stream }) => stream.write('4:wo'),
    hostile: {
      'a length that is too large': after((stream) => stream.write('999999999:x')),
      'a length that is none': after((stream) => stream.write('-x:x')),
      'an answer that ends early': after((stream) => stream.end('4:wo')),
    },
  }
}

const features = { basic: true, header: true, principal: true, locations: true, answers: true, longAnswers: true, longRequests: true }

describeAdapter('in memory', { ...partsOf(), features })

const broken: Record<AdapterCaseName, Partial<Promises>> = {
  'connects, answers a ping and does its work': { answers: () => false },
  'presents user and password': { present: ({ credentials }) => (credentials.kind === 'basic' ? `${credentials.user}/++` : '++') },
  'presents a prepared header': { present: () => '++' },
  'acts on behalf of a principal': { present: () => '++' },
  'does not go on without the principal that the destination asks for': { demandPrincipal: () => {} },
  'does not begin when it is aborted already': { begin: () => {} },
  'passes on why a dial failed': { dialError: (error) => new ConnectivityError('BACKEND_UNREACHABLE', 'no', { cause: error }) },
  'says in a ping that nobody answers': { dialError: () => new Error('ECONNREFUSED') },
  'gives up on a silent backend at the deadline': { wait: (work) => work },
  'stops when it is aborted': {
    wait: (work, signal) =>
      promises.wait(work, signal).catch(() => Promise.reject(new ConnectivityError('BACKEND_TIMEOUT', 'the wrong code'))),
  },
  'reports a backend that resets in the middle of its answer': { brokenStream: (error) => error },
  'takes no hostile answer, and waits for none': { maxLength: Number.POSITIVE_INFINITY },
  'takes an answer whose backend ends with its last byte, and works again': { finish: () => {} },
  'takes no answer that is cut short, half way or at its last byte': { whole: () => true, answers: () => true },
  'stops the backend while nobody reads its answer': { handOn: collect },
  'stops reading its source while the backend does not read': { takeFrom: collect },
  'dials with the location ID of the destination': { locationId: () => '' },
  'keeps secrets out of errors and logs': {
    log: ({ log, credentials }) => log.debug({ user: credentials.kind === 'basic' ? credentials.password.reveal() : '' }, 'connected'),
  },
  'closes everything when it is disposed, also twice, and does not work afterwards': { closed: () => {} },
}

describe('the suite notices an adapter that', () => {
  it.each(Object.keys(broken) as AdapterCaseName[])('breaks the case "%s"', async (name) => {
    await expect(runAdapterCase(adapterCases[name], { ...partsOf(broken[name]), limitMs: 700 })).rejects.toThrow(/./)
  })
  it('leaves a connection open', async () => {
    const parts = { ...partsOf({ close: () => {}, finish: () => {} }), limitMs: 700 }
    const closing = adapterCases['closes everything when it is disposed, also twice, and does not work afterwards']
    await expect(runAdapterCase(closing, parts)).rejects.toThrow(/idle/)
  })
  it('shows a secret in an error', async () => {
    const parts = partsOf({
      brokenStream: () => new ConnectivityError('BACKEND_UNREACHABLE', 'broke off', { cause: { sent: 'p4ss-w0rd-of-the-user' } }),
    })
    await expect(runAdapterCase(adapterCases['keeps secrets out of errors and logs'], parts)).rejects.toThrow(/secret/)
  })
})
