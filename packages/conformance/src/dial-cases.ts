import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type Address, ConnectivityError, type ErrorCode } from '@sallyport/core'
import { expect } from './expect.ts'
import type { Case } from './case.ts'
import type { FarEnd, FarSide } from './far-side.ts'
import { heldBytes, lateConsumerMs, pressureBytes, quietMs } from './limits.ts'
import { ended, expectNoSecrets, readBytes, readToEnd, reasonOf, within } from './probe.ts'

export type DialFeature =
  /** There is a way to make an attempt that never finishes. */
  | 'silence'
  /** The dial tells the far side which connector is meant. */
  | 'locations'
  /** The dial distinguishes refusals beyond "nobody answers". */
  | 'refusals'

/** A way to be refused, and the code that a caller sees. */
export interface Refusal {
  readonly what: string
  readonly address: Address
  readonly code: ErrorCode
}

/** The far side of one dial. Members of features that are not claimed may be left out. */
export interface DialFarSide extends FarSide {
  /** An address whose attempts never finish, whatever the reason: a name service, a proxy or a handshake that is silent. */
  silent?(): Promise<Address>
  /** The location ID that arrived with the latest attempt. */
  lastLocationId?(): string | undefined
  refusals?(): Promise<readonly Refusal[]>
}

/** What a case of the dial suite gets. */
export interface DialContext {
  readonly far: DialFarSide
  /** Tokens and passwords that the dial presents. */
  readonly secrets: readonly string[]
  /** Fires when the case has waited too long. */
  readonly signal: AbortSignal
}

export type DialCase = Case<DialContext, DialFeature>

/** What every dial does, whatever lies between. */
export const dialCases: Readonly<Record<DialCaseName, DialCase>> = {
  'carries arbitrary bytes both ways': {
    async run({ far, signal }) {
      const near = await open(far, echo, signal)
      const sent = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), randomBytes(1_000_000)])
      const answer = readToEnd(near, signal)
      near.end(sent)
      expect(digest(await answer)).toBe(digest(sent))
    },
  },
  'lets the far side answer after our side has ended': {
    async run({ far, signal }) {
      const near = await open(
        far,
        ({ stream }) =>
          void readToEnd(stream, signal).then(
            (question) => stream.end(`answer to ${question}`),
            // The near side tells what is wrong.
            () => {},
          ),
        signal,
      )
      near.end('question')
      expect((await readToEnd(near, signal)).toString()).toBe('answer to question')
    },
  },
  'still sends after the far side has ended': {
    async run({ far, signal }) {
      const { near, peer } = await openPair(far, signal)
      const question = readToEnd(peer.stream, signal)
      peer.stream.end('last words')
      expect((await readToEnd(near, signal)).toString()).toBe('last words')
      near.end('said after that')
      expect((await question).toString()).toBe('said after that')
    },
  },
  'stops the writer while the far side does not read': {
    async run({ far, signal }) {
      const { near, peer } = await openPair(far, signal)
      await expectPressure(near, peer.stream, signal)
    },
  },
  'stops the far side while we do not read': {
    async run({ far, signal }) {
      const { near, peer } = await openPair(far, signal)
      await expectPressure(peer.stream, near, signal)
    },
  },
  'keeps bytes that the far side sends before anybody reads': {
    async run({ far, signal }) {
      const near = await open(far, ({ stream }) => stream.write('220 greeting\r\n'), signal)
      // The consumer being late is the point: it attaches long after the bytes have arrived.
      await delay(lateConsumerMs)
      expect((await readBytes(near, 14, signal)).toString()).toBe('220 greeting\r\n')
    },
  },
  'does not even begin when it is aborted already': {
    async run({ far, signal }) {
      let connections = 0
      const address = await far.serve(() => connections++)
      const error = await within(reasonOf(far.dial(address, { signal: AbortSignal.abort(), locationId: '' })), signal, 'the aborted dial')
      expectCode(error, 'ABORTED')
      await within(far.idle(), signal, 'the far side to be idle')
      expect(connections).toBe(0)
    },
  },
  'gives up when it is aborted while connecting, and leaves nothing open': {
    requires: 'silence',
    async run({ far, signal }) {
      const controller = new AbortController()
      const attempt = reasonOf(far.dial(await silentOf(far), { signal: controller.signal, locationId: '' }))
      await delay(1)
      controller.abort()
      expectCode(await within(attempt, signal, 'the aborted dial'), 'ABORTED')
      await within(far.idle(), signal, 'the far side to be idle')
    },
  },
  'gives up on a silent far side at the deadline, and leaves nothing open': {
    requires: 'silence',
    async run({ far, signal }) {
      const attempt = reasonOf(far.dial(await silentOf(far), { signal: AbortSignal.timeout(30), locationId: '' }))
      expectCode(await within(attempt, signal, 'the dial with a deadline'), 'DEADLINE_EXCEEDED')
      await within(far.idle(), signal, 'the far side to be idle')
    },
  },
  'leaves an open stream alone when the signal of its attempt fires later': {
    async run({ far, signal }) {
      const controller = new AbortController()
      const near = await within(far.dial(await far.serve(echo), { signal: controller.signal, locationId: '' }), signal, 'the dial')
      controller.abort()
      await delay(1)
      const answer = readToEnd(near, signal)
      near.end('still here')
      expect((await answer).toString()).toBe('still here')
    },
  },
  'says that nobody answers': {
    async run({ far, signal }) {
      const attempt = far.dial(await far.unused(), { signal, locationId: '' })
      expectCode(await within(reasonOf(attempt), signal, 'the refused dial'), 'BACKEND_UNREACHABLE')
      await within(far.idle(), signal, 'the far side to be idle')
    },
  },
  'tells each refusal by its code, and leaves nothing open': {
    requires: 'refusals',
    async run({ far, signal }) {
      const refusals = (await far.refusals?.()) ?? []
      expect(refusals.length).toBeGreaterThan(0)
      for (const { what, address, code } of refusals) {
        const error = await within(reasonOf(far.dial(address, { signal, locationId: '' })), signal, what)
        expect(ConnectivityError.is(error) ? error.code : error, what).toBe(code)
      }
      await within(far.idle(), signal, 'the far side to be idle')
    },
  },
  'does not mistake a reset for the end of the data': {
    async run({ far, signal }) {
      const { near, peer } = await openPair(far, signal)
      peer.stream.write('half of it')
      await readBytes(near, 10, signal)
      const end = reasonOf(ended(near.resume(), signal))
      peer.reset()
      await within(end, signal, 'the broken stream')
      expect(signal.aborted, 'the stream did not notice').toBe(false)
    },
  },
  'tells the far side which connector is meant': {
    requires: 'locations',
    async run({ far, signal }) {
      const address = await far.serve(echo)
      for (const locationId of ['', 'orlando', 'Größe 7']) {
        const near = await within(far.dial(address, { signal, locationId }), signal, 'the dial')
        expect(far.lastLocationId?.()).toBe(locationId)
        near.destroy()
      }
    },
  },
  'keeps secrets out of errors': {
    async run({ far, secrets, signal }) {
      const attempts = [far.dial(await far.unused(), { signal, locationId: '' })]
      for (const { address } of (await far.refusals?.()) ?? []) attempts.push(far.dial(address, { signal, locationId: '' }))
      const silent = await far.silent?.()
      if (silent !== undefined) attempts.push(far.dial(silent, { signal: AbortSignal.timeout(30), locationId: '' }))
      for (const attempt of attempts.map(reasonOf)) expectNoSecrets(await within(attempt, signal, 'a failing dial'), secrets)
    },
  },
  'leaves nothing open once its stream is destroyed': {
    async run({ far, signal }) {
      const { near, peer } = await openPair(far, signal)
      // Whether it is told by an end or a reset is the dial's affair.
      peer.stream.on('error', () => {})
      const gone = new Promise((resolve) => peer.stream.resume().once('close', resolve))
      peer.stream.on('end', () => peer.stream.end())
      near.destroy()
      await within(gone, signal, 'the far stream to close')
      await within(far.idle(), signal, 'the far side to be idle')
    },
  },
}

export type DialCaseName =
  | 'carries arbitrary bytes both ways'
  | 'lets the far side answer after our side has ended'
  | 'still sends after the far side has ended'
  | 'stops the writer while the far side does not read'
  | 'stops the far side while we do not read'
  | 'keeps bytes that the far side sends before anybody reads'
  | 'does not even begin when it is aborted already'
  | 'gives up when it is aborted while connecting, and leaves nothing open'
  | 'gives up on a silent far side at the deadline, and leaves nothing open'
  | 'leaves an open stream alone when the signal of its attempt fires later'
  | 'says that nobody answers'
  | 'tells each refusal by its code, and leaves nothing open'
  | 'does not mistake a reset for the end of the data'
  | 'tells the far side which connector is meant'
  | 'keeps secrets out of errors'
  | 'leaves nothing open once its stream is destroyed'

function echo({ stream }: FarEnd): void {
  stream.pipe(stream)
}

async function open(far: DialFarSide, handler: (end: FarEnd) => void, signal: AbortSignal): Promise<Duplex> {
  const near = await within(far.dial(await far.serve(handler), { signal, locationId: '' }), signal, 'the dial')
  // A case that fails leaves a stream that breaks when the far side is taken down; the case has its own error already.
  near.on('error', () => {})
  return near
}

/** Both ends of a connection whose far side the case plays itself. */
async function openPair(far: DialFarSide, signal: AbortSignal): Promise<{ near: Duplex; peer: FarEnd }> {
  const { promise, resolve } = Promise.withResolvers<FarEnd>()
  const near = await open(far, resolve, signal)
  return { near, peer: await within(promise, signal, 'the connection to arrive') }
}

async function silentOf(far: DialFarSide): Promise<Address> {
  const address = await far.silent?.()
  if (address === undefined) throw new Error('the subject claims silence and offers no silent address')
  return address
}

/** Writes to a reader that does not read until the writer is stopped, then lets the reader read all of it. */
async function expectPressure(writer: Duplex, reader: Duplex, signal: AbortSignal): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, 7)
  const accepted = await writeUntilStopped(writer, chunk)
  expect(accepted, 'the path collects what nobody reads').toBeLessThan(heldBytes)
  let received = 0
  reader.on('data', (data: Buffer) => (received += data.length))
  const end = ended(reader, signal)
  let sent = accepted
  while (sent < pressureBytes) {
    sent += chunk.length
    if (!writer.write(chunk) && writer.writableNeedDrain) await once(writer, 'drain', { signal })
  }
  writer.end()
  await end
  expect(received).toBe(sent)
}

async function writeUntilStopped(writer: Duplex, chunk: Buffer): Promise<number> {
  let accepted = 0
  while (accepted < pressureBytes) {
    accepted += chunk.length
    if (writer.write(chunk)) continue
    const stopped = await Promise.race([once(writer, 'drain').then(() => false), delay(quietMs).then(() => true)])
    if (stopped) break
  }
  return accepted
}

function expectCode(error: unknown, code: ErrorCode): void {
  expect(ConnectivityError.is(error) ? error.code : error).toBe(code)
}

function digest(bytes: Buffer): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`
}
