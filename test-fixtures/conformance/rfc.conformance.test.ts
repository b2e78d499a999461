import { Duplex } from 'node:stream'
import { describeRfc } from '@sallyport/conformance'
import { type RfcCaseName, rfcCases, type RfcFarSide, runRfcCase } from '@sallyport/conformance/cases'
import { ConnectivityError, type Dial } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { denied, openMemory } from './memory-far-side.ts'

/** Nothing lies between. */
async function open(change?: (dial: Dial) => Dial): Promise<RfcFarSide> {
  const { network, dial } = openMemory(change)
  const { serve, unused, idle } = network
  return { dial, serve, unused, idle, notExposed: denied, [Symbol.asyncDispose]: () => network[Symbol.asyncDispose]() }
}

describeRfc('nothing between', { open: () => open(), features: { relay: false, refusals: true } })

/** What a way does to the bytes and ends of a connection. */
interface Defect {
  readonly up?: (bytes: Buffer) => Buffer
  readonly down?: (bytes: Buffer) => Buffer
  /** Reads on, whether or not anybody reads. */
  readonly hoards?: boolean
  /** Tells no end and no reset. */
  readonly hidesEnds?: boolean
  /** Leaves the gateway alone when the application has gone. */
  readonly forgetsGateway?: boolean
}

function withDefect(near: Duplex, { up = (bytes) => bytes, down = (bytes) => bytes, ...defect }: Defect): Duplex {
  const stream: Duplex = new Duplex({
    read: () => void near.resume(),
    write: (bytes: Buffer, _encoding, callback) => void near.write(up(bytes), callback),
    final: (callback) => void near.end(callback),
    destroy(error, callback) {
      if (defect.forgetsGateway !== true) near.destroy(error ?? undefined)
      callback(error)
    },
  })
  near.on('data', (bytes: Buffer) => {
    if (!stream.push(down(bytes)) && defect.hoards !== true) near.pause()
  })
  near.on('error', (error) => defect.hidesEnds === true || stream.destroy(error))
  near.on('end', () => defect.hidesEnds === true || stream.push(null))
  return stream
}

/** Puts other text of the same length in the place of some, in whichever of the two encodings. */
const replacing =
  (text: string, other: string): ((bytes: Buffer) => Buffer) =>
  (bytes) => {
    const changed = Buffer.from(bytes)
    for (const encoding of ['utf16le', 'latin1'] as const) {
      const at = changed.indexOf(text, 0, encoding)
      if (at >= 0) changed.write(other, at, encoding)
    }
    return changed
  }

/** Nothing that lies between reads what passes. */
const plain: Defect = {}
const defects: Readonly<Record<RfcCaseName, Defect | ((dial: Dial) => Dial)>> = {
  'leads to the gateway, which greets': { up: () => Buffer.alloc(0) },
  'passes a logon on with client, user and password': { up: replacing('JANE', 'JOHN') },
  'tells why the system refuses a logon': { down: replacing('password', 'somewhat') },
  'answers RFC_PING': { up: replacing('RFC_PING', 'RFC_PONG') },
  'keeps the session of one conversation apart from that of another': { up: replacing('Z_COUNT', 'Z_TYPES') },
  'passes the end of a conversation on': { hidesEnds: true },
  'keeps connections alive, also between the pieces of an answer': { up: replacing('NI_PONG', 'NI_PANG') },
  'carries every kind of value there and back': { down: replacing('235959', '235958') },
  'carries rows of tables there and back': { down: replacing('one', 'two') },
  'carries tables within structures there and back': { down: replacing('long', 'wide') },
  'carries values that change': { up: replacing('START_VALUE', 'STOPS_VALUE') },
  'tells of an exception, and the conversation goes on': { down: replacing('EXAMPLE', 'ANOTHER') },
  'tells of a function that the system does not have': { down: replacing('not found', 'forbidden') },
  'takes answers that leave out what repeats, and fields that nobody knows': { down: (bytes) => bytes.subarray(0, 900) },
  'denies a function that the mapping does not name, and the system hears nothing of it': plain,
  'serves the next conversation after a denial': { up: replacing('Z_COUNT', 'Z_MOUNT') },
  'names the system to its gateway as that is called there, and to the application as that calls it': plain,
  'denies the system calls of the application': plain,
  'denies SNC and routes of the application': plain,
  'refuses an address that no mapping exposes': (dial) => async (address, options) =>
    dial(address.host === denied.host ? { host: 'nobody.memory', port: 1 } : address, options),
  'says that nobody answers at the gateway': () => async () => {
    throw new ConnectivityError('ACCESS_DENIED', 'the way denies everything')
  },
  'carries tables of megabytes whole in both directions': { down: replacing('3999', '3998') },
  'holds a large table back while the application does not read, and then delivers it whole': { hoards: true },
  'does not pass half an answer off as a whole one': { hidesEnds: true },
  'is silent while the system is, and leaves it with the application': { forgetsGateway: true },
  'tells that the system has gone between two calls': { hidesEnds: true },
}

describe('the suite notices a way that', () => {
  it.each(Object.entries(defects) as [RfcCaseName, (typeof defects)[RfcCaseName]][])('breaks the case "%s"', async (name, defect) => {
    const change =
      typeof defect === 'function'
        ? defect
        : (dial: Dial): Dial =>
            async (address, options) =>
              withDefect(await dial(address, options), defect)
    const limitMs = name.startsWith('holds') || name.startsWith('carries tables of megabytes') ? 5000 : 400
    await expect(runRfcCase(rfcCases[name], { open: () => open(change), limitMs })).rejects.toThrow(
      /expected|waited too long|did not succeed/,
    )
  })
})
