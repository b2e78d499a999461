import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  encodeParameter,
  formatAppcRecord,
  formatCallReply,
  formatNiFrame,
  parseAppcRecord,
  isRefused,
  replyRecords,
} from '@sallyport/rfc-wire'
import { expect, failCase } from '../expect.ts'
import { heldBytes, quietMs, tableBytes } from '../limits.ts'
import { callForValues, parameterType } from './parameters.ts'
import { openLoggedOn, playSystem, type RfcCase } from './rfc-case.ts'
import type { RfcCaller } from './rfc-caller.ts'

export type VolumeCase =
  | 'carries tables of megabytes whole in both directions'
  | 'holds a large table back while the application does not read, and then delivers it whole'

/** More than one record holds, and than a path may keep. */
export const volumeCases: Readonly<Record<VolumeCase, RfcCase>> = {
  'carries tables of megabytes whole in both directions': {
    async run(context) {
      const { address, visits } = await playSystem(context)
      const { caller } = await openLoggedOn(context, address)
      const ROWS = Array.from({ length: 4000 }, (_, at) => ({ WA: `${at}.${'x'.repeat(at % 400)}` }))
      const answer = await callForValues(caller, 'Z_VOLUME', { ROWS }, ['ROWS', 'ROWS_SEEN'])
      expect(answer['ROWS_SEEN'], 'rows that arrived').toBe(ROWS.length)
      expect(digest(JSON.stringify(answer['ROWS'])), 'rows that came back').toBe(digest(JSON.stringify(ROWS)))
      expect(visits[0]?.calls[0]?.records ?? 0, 'records of the request').toBeGreaterThan(100)
    },
  },
  'holds a large table back while the application does not read, and then delivers it whole': {
    async run(context) {
      let asked: RfcCaller | undefined
      let sentBytes = 0
      const sent = createHash('sha256')
      const { address } = await playSystem(context, {
        script({ step }) {
          const caller = asked
          if (step !== 'call' || caller === undefined) return undefined
          return {
            end: 'go on',
            // The fixture takes the next piece when the one before it has gone.
            bytes: (function* () {
              for (const record of replyRecords(largeReply(), {
                conversation: caller.conversation,
                sequenceNumber: 9,
                appcReturnCode: 0,
              })) {
                sentBytes += record.body.length
                sent.update(record.body)
                yield formatNiFrame(formatAppcRecord(record))
              }
            })(),
          }
        },
      })
      const { caller, stream } = await openLoggedOn(context, address)
      asked = caller
      const pending = readReply(caller)
      stream.pause()
      for (let before = -1; ; before = sentBytes) {
        // What is awaited is that nothing happens any more.
        await delay(quietMs)
        context.signal.throwIfAborted()
        if (sentBytes === before && sentBytes > 0) break
      }
      expect(sentBytes, 'the path collects what nobody reads').toBeLessThan(heldBytes)
      stream.resume()
      const { bytes, hash } = await pending
      expect(bytes, 'bytes of the reply').toBe(sentBytes)
      expect(bytes, 'bytes of the reply').toBeGreaterThan(tableBytes)
      expect(hash, 'their digest').toBe(sent.digest('hex'))
    },
  },
}

/** Asks, and reads the records of the answer without keeping them. */
async function readReply(caller: RfcCaller): Promise<{ readonly bytes: number; readonly hash: string }> {
  const received = createHash('sha256')
  let bytes = 0
  caller.begin('Z_VOLUME')
  for (;;) {
    const frame = await caller.next()
    if (frame === undefined) failCase(`the connection ended after ${bytes} bytes of the reply`)
    if (frame.kind !== 'message') continue
    const record = parseAppcRecord(frame.payload)
    if (isRefused(record)) failCase(record.refused)
    if (record.appcReturnCode !== 0) failCase(`the call was refused: ${record.body.toString('latin1').replaceAll('\0', '')}`)
    bytes += record.body.length
    received.update(record.body)
    if ((record.vector & 0x04) !== 0) return { bytes, hash: received.digest('hex') }
  }
}

/** Rows of a kilobyte each, none like the other. */
function largeReply(): Buffer {
  const rows = Array.from({ length: tableBytes / 1024 }, (_, at) => ({ WA: String(at) }))
  const output = encodeParameter(parameterType('Z_VOLUME', 'ROWS'), rows)
  return formatCallReply({ sessionId: Buffer.alloc(16), outputNames: ['ROWS'], outputs: [output] })
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
