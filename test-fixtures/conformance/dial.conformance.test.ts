import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { ConnectivityError, type Dial } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { dialCases, type DialCaseName, type DialFarSide, runDialCase } from '@sallyport/conformance/cases'
import { describeDial } from '@sallyport/conformance'
import { denied, openMemory } from './memory-far-side.ts'

/** The reference implementation: everything a dial can be asked for, in memory. */
async function open(change?: (dial: Dial) => Dial): Promise<DialFarSide> {
  const { network, dial } = openMemory(change)
  const { serve, unused, idle, silent } = network
  return {
    dial,
    serve,
    unused,
    idle,
    silent,
    lastLocationId: () => network.lastLocationId,
    refusals: async () => [{ what: 'an address that is not exposed', address: denied, code: 'ACCESS_DENIED' }],
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

const features = { silence: true, locations: true, refusals: true }
const secrets = ['s3cret-of-the-dial']

describeDial('in memory', { open: open, features, secrets })

/** A stream that looks like `inner` except for what the options change. */
function wrap(
  inner: Duplex,
  options: {
    onChunk?: (chunk: Buffer) => Buffer
    onEnd?: (outer: Duplex) => void
    onWrite?: (chunk: Buffer, done: () => void) => void
    onFinish?: () => void
    onReset?: (outer: Duplex) => void
    onDestroy?: () => void
    greedy?: boolean
  } = {},
): Duplex {
  const outer: Duplex = new Duplex({
    allowHalfOpen: true,
    read: () => inner.resume(),
    write: (chunk: Buffer, _encoding, callback) =>
      options.onWrite === undefined ? inner.write(chunk, () => callback()) : options.onWrite(chunk, callback),
    final(callback) {
      if (options.onFinish === undefined) inner.end()
      else options.onFinish()
      callback()
    },
    destroy(error, callback) {
      if (options.onDestroy === undefined) inner.destroy()
      else options.onDestroy()
      callback(error)
    },
  })
  inner.on('data', (chunk: Buffer) => {
    if (!outer.push(options.onChunk?.(chunk) ?? chunk) && options.greedy !== true) inner.pause()
  })
  inner.on('end', () => (options.onEnd === undefined ? outer.push(null) : options.onEnd(outer)))
  inner.on('error', (error) => (options.onReset === undefined ? outer.destroy(error) : options.onReset(outer)))
  return outer
}

const late = (address: Parameters<Dial>[0], options: Parameters<Dial>[1]): Parameters<Dial>[1] => ({
  ...options,
  signal: new AbortController().signal,
})

// The wrapper that the broken dials are made of changes nothing by itself.
describeDial('in memory, wrapped', {
  open: () => open((dial) => async (address, options) => wrap(await dial(address, options))),
  features,
  secrets,
})

/** For every case a dial that breaks this one promise. */
const broken: Record<DialCaseName, (dial: Dial) => Dial> = {
  'carries arbitrary bytes both ways': (dial) => async (address, options) =>
    wrap(await dial(address, options), { onChunk: (chunk) => Buffer.from(chunk.toString('utf8')) }),
  'lets the far side answer after our side has ended': (dial) => async (address, options) => {
    const inner = await dial(address, options)
    return wrap(inner, { onFinish: () => inner.destroy() })
  },
  'still sends after the far side has ended': (dial) => async (address, options) =>
    wrap(await dial(address, options), {
      onEnd: (outer) => {
        outer.push(null)
        outer.end()
      },
    }),
  'stops the writer while the far side does not read': (dial) => async (address, options) => {
    const inner = await dial(address, options)
    return wrap(inner, {
      onWrite(chunk, done) {
        inner.write(chunk)
        setImmediate(done)
      },
    })
  },
  'stops the far side while we do not read': (dial) => async (address, options) => wrap(await dial(address, options), { greedy: true }),
  'keeps bytes that the far side sends before anybody reads': (dial) => async (address, options) => {
    const inner = await dial(address, options)
    inner.resume()
    await delay(1)
    return inner
  },
  'does not even begin when it is aborted already': (dial) => (address, options) => dial(address, late(address, options)),
  'gives up when it is aborted while connecting, and leaves nothing open': (dial) => (address, options) =>
    dial(address, late(address, options)),
  'gives up on a silent far side at the deadline, and leaves nothing open': (dial) => async (address, options) => {
    try {
      return await dial(address, options)
    } catch {
      throw new ConnectivityError('BACKEND_UNREACHABLE', 'the wrong code')
    }
  },
  'leaves an open stream alone when the signal of its attempt fires later': (dial) => async (address, options) => {
    const inner = await dial(address, options)
    options.signal.addEventListener('abort', () => inner.destroy())
    return inner
  },
  'says that nobody answers': (dial) => async (address, options) => {
    try {
      return await dial(address, options)
    } catch (error) {
      throw new Error('connect ECONNREFUSED', { cause: error })
    }
  },
  'tells each refusal by its code, and leaves nothing open': (dial) => async (address, options) => {
    try {
      return await dial(address, options)
    } catch (error) {
      throw new ConnectivityError('BACKEND_UNREACHABLE', 'every refusal looks the same', { cause: error })
    }
  },
  'does not mistake a reset for the end of the data': (dial) => async (address, options) =>
    wrap(await dial(address, options), { onReset: (outer) => outer.push(null) }),
  'tells the far side which connector is meant': (dial) => (address, options) =>
    dial(address, { ...options, locationId: options.locationId || 'default' }),
  'keeps secrets out of errors': (dial) => async (address, options) => {
    try {
      return await dial(address, options)
    } catch (error) {
      throw new ConnectivityError('BACKEND_UNREACHABLE', 'refused', { cause: { error, options: { proxy: { token: secrets[0] } } } })
    }
  },
  'leaves nothing open once its stream is destroyed': (dial) => async (address, options) =>
    wrap(await dial(address, options), { onDestroy: () => {} }),
}

describe('the suite notices a dial that', () => {
  it.each(Object.keys(broken) as DialCaseName[])('breaks the case "%s"', async (name) => {
    const subject = { secrets, limitMs: 700, open: () => open(broken[name]) }
    await expect(runDialCase(dialCases[name], subject)).rejects.toThrow(/./)
  })
})
