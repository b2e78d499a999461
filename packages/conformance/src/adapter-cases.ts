import { ConnectivityError, createSecret, type Credentials, type DialOptions, type Principal } from '@sallyport/core'
import type { AdapterCase, AdapterContext } from './adapter-cases/adapter-case.ts'
import { codeOf, connect, failureOf, greet, none, serve, stay } from './adapter-cases/attempts.ts'
import { type CutAnswerCase, cutAnswerCases } from './adapter-cases/cut-answers.ts'
import { type SlowReaderCase, slowReaderCases } from './adapter-cases/slow-readers.ts'
import { expect } from './expect.ts'
import { expectNoSecrets, reasonOf, within } from './probe.ts'
import { createRecordingLogger } from './recording-logger.ts'

const password = 'p4ss-w0rd-of-the-user'
const headerToken = 'header-token-0123456789'
const principalToken = 'eyJhbGciOiJSUzI1NiJ9.cHJpbmNpcGFs.c2lnbmF0dXJl'
const principal: Principal = { kind: 'business', token: createSecret(principalToken) }
const basic: Credentials = { kind: 'basic', user: 'the-user', password: createSecret(password) }
const header: Credentials = { kind: 'header', name: 'Authorization', value: createSecret(`Bearer ${headerToken}`) }
const behalf: Credentials = { kind: 'principal' }

/** What every adapter does, whatever its protocol. */
export const adapterCases: Readonly<Record<AdapterCaseName, AdapterCase>> = {
  'connects, answers a ping and does its work': {
    async run(context) {
      const { client } = await connect(context, await serve(context))
      await within(client.ping(context.signal), context.signal, 'the ping')
      await within(context.parts.work(client, context.signal), context.signal, 'the work')
      await client[Symbol.asyncDispose]()
    },
  },
  'presents user and password': { requires: 'basic', run: (context) => expectPresented(context, basic, undefined) },
  'presents a prepared header': { requires: 'header', run: (context) => expectPresented(context, header, undefined) },
  'acts on behalf of a principal': { requires: 'principal', run: (context) => expectPresented(context, behalf, principal) },
  'does not go on without the principal that the destination asks for': {
    async run(context) {
      const address = await serve(context)
      const dialled: DialOptions[] = []
      const error = await failureOf(context, address, { credentials: behalf, dialled })
      expect(codeOf(error)).toBe('DESTINATION_INVALID')
      expect(dialled).toEqual([])
    },
  },
  'does not begin when it is aborted already': {
    async run(context) {
      const address = await serve(context)
      const attempt = context.parts.create(context.far).connect(context.parts.destination(address), {
        dial: context.far.dial,
        credentials: none,
        signal: AbortSignal.abort(),
        log: createRecordingLogger().logger,
      })
      expect(codeOf(await within(reasonOf(attempt), context.signal, 'the aborted connect'))).toBe('ABORTED')
    },
  },
  'passes on why a dial failed': {
    async run(context) {
      const address = await serve(context)
      const denied = new ConnectivityError('ACCESS_DENIED', 'denied by the test')
      const error = await failureOf(context, address, { dialFails: denied })
      expect(codeOf(error)).toBe('ACCESS_DENIED')
      await within(context.far.idle(), context.signal, 'the far side to be idle')
    },
  },
  'says in a ping that nobody answers': {
    async run(context) {
      const { client } = await connect(context, await context.far.unused())
      expect(codeOf(await within(reasonOf(client.ping(context.signal)), context.signal, 'the ping'))).toBe('BACKEND_UNREACHABLE')
      await client[Symbol.asyncDispose]()
      await within(context.far.idle(), context.signal, 'the far side to be idle')
    },
  },
  'gives up on a silent backend at the deadline': {
    async run(context) {
      const address = await context.far.serve(stay)
      const { client } = await connect(context, address)
      const attempt = context.parts.work(client, AbortSignal.timeout(60))
      expect(codeOf(await within(reasonOf(attempt), context.signal, 'the work at the silent backend'))).toBe('DEADLINE_EXCEEDED')
      await client[Symbol.asyncDispose]()
      await within(context.far.idle(), context.signal, 'the far side to be idle')
    },
  },
  'stops when it is aborted': {
    async run(context) {
      const { promise: arrived, resolve } = Promise.withResolvers<void>()
      const address = await context.far.serve((end) => {
        stay(end)
        end.stream.once('data', () => resolve())
        greet(context, end)
      })
      const { client } = await connect(context, address)
      const controller = new AbortController()
      const attempt = reasonOf(context.parts.work(client, controller.signal))
      await within(arrived, context.signal, 'the work to arrive')
      controller.abort()
      expect(codeOf(await within(attempt, context.signal, 'the aborted work'))).toBe('ABORTED')
      await client[Symbol.asyncDispose]()
      await within(context.far.idle(), context.signal, 'the far side to be idle')
    },
  },
  'reports a backend that resets in the middle of its answer': {
    requires: 'answers',
    async run(context) {
      const begin = context.parts.beginAnswer
      if (begin === undefined) throw new Error('the subject claims answers and offers no beginAnswer')
      const address = await context.far.serve((end) => {
        end.stream.once('data', () => {
          begin(end)
          setImmediate(() => end.reset())
        })
        greet(context, end)
      })
      const { client } = await connect(context, address)
      expect(codeOf(await within(reasonOf(context.parts.work(client, context.signal)), context.signal, 'the broken answer'))).toMatch(
        /^(BACKEND_UNREACHABLE|TUNNEL_LOST)$/,
      )
      await client[Symbol.asyncDispose]()
    },
  },
  'takes no hostile answer, and waits for none': {
    requires: 'answers',
    async run(context) {
      const hostile = Object.entries(context.parts.hostile ?? {})
      expect(hostile.length).toBeGreaterThan(0)
      for (const [what, play] of hostile) {
        const address = await context.far.serve(play)
        const { client } = await connect(context, address)
        const error = await within(reasonOf(context.parts.work(client, context.signal)), context.signal, what)
        expect(ConnectivityError.is(error) ? error.code : error, what).toMatch(/^(PROTOCOL_VIOLATION|BACKEND_UNREACHABLE)$/)
        await client[Symbol.asyncDispose]()
      }
      await within(context.far.idle(), context.signal, 'the far side to be idle')
    },
  },
  ...cutAnswerCases,
  ...slowReaderCases,
  'dials with the location ID of the destination': {
    requires: 'locations',
    async run(context) {
      const dialled: DialOptions[] = []
      const { client } = await connect(context, await serve(context), { dialled })
      await within(client.ping(context.signal), context.signal, 'the ping')
      expect(dialled.map(({ locationId }) => locationId)).toContain('orlando')
      expect(new Set(dialled.map(({ locationId }) => locationId)).size).toBe(1)
      await client[Symbol.asyncDispose]()
    },
  },
  'keeps secrets out of errors and logs': {
    async run(context) {
      const secrets = [password, headerToken, principalToken, ...(context.parts.secrets ?? [])]
      const { logger, lines } = createRecordingLogger()
      const silent = await context.far.serve(stay)
      const broken = await context.far.serve((end) => {
        end.stream.once('data', () => end.reset())
        greet(context, end)
      })
      for (const credentials of [basic, header, behalf]) {
        for (const address of [await context.far.unused(), silent, broken]) {
          const error = await failureOf(context, address, { credentials, principal, log: logger, workSignal: AbortSignal.timeout(60) })
          expectNoSecrets(error, secrets)
        }
      }
      expectNoSecrets(Object.assign(new Error('what was logged'), { lines }), secrets)
    },
  },
  'closes everything when it is disposed, also twice, and does not work afterwards': {
    async run(context) {
      const { client } = await connect(context, await serve(context))
      await within(context.parts.work(client, context.signal), context.signal, 'the work')
      await within(client[Symbol.asyncDispose](), context.signal, 'the disposal')
      await within(client[Symbol.asyncDispose](), context.signal, 'the second disposal')
      await within(context.far.idle(), context.signal, 'the far side to be idle')
      const error = await within(reasonOf(context.parts.work(client, context.signal)), context.signal, 'work after the disposal')
      expect(ConnectivityError.is(error) ? 'a ConnectivityError' : error).toBe('a ConnectivityError')
      await within(context.far.idle(), context.signal, 'the far side to be idle')
    },
  },
}

/** The title of a case. */
export type AdapterCaseName =
  | CutAnswerCase
  | SlowReaderCase
  | 'connects, answers a ping and does its work'
  | 'presents user and password'
  | 'presents a prepared header'
  | 'acts on behalf of a principal'
  | 'does not go on without the principal that the destination asks for'
  | 'does not begin when it is aborted already'
  | 'passes on why a dial failed'
  | 'says in a ping that nobody answers'
  | 'gives up on a silent backend at the deadline'
  | 'stops when it is aborted'
  | 'reports a backend that resets in the middle of its answer'
  | 'takes no hostile answer, and waits for none'
  | 'dials with the location ID of the destination'
  | 'keeps secrets out of errors and logs'
  | 'closes everything when it is disposed, also twice, and does not work afterwards'

/** Works with the credentials, and not without: else the backend would not have looked at them. */
async function expectPresented(context: AdapterContext, credentials: Credentials, user: Principal | undefined): Promise<void> {
  const address = await serve(context, { credentials, principal: user })
  const { client } = await connect(context, address, { credentials, ...(user === undefined ? {} : { principal: user }) })
  await within(context.parts.work(client, context.signal), context.signal, 'the work')
  await client[Symbol.asyncDispose]()
  await failureOf(context, address, {})
}
