import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { openRawClient } from '@sallyport/conformance/cases'
import { startRig } from '../conformance/rig.ts'

it('bad frames never break the listener, and every answer is one of the protocol', async () => {
  await using rig = await startRig()
  const connector = await rig.connect()
  const token = Buffer.from(rig.issuer.technical())
  const length = Buffer.alloc(4)
  length.writeUInt32BE(token.length)
  const good = [Buffer.from([5, 1, 0x80]), Buffer.concat([Buffer.from([1]), length, token, Buffer.from([0])])]
  const message = fc.oneof(
    fc.constantFrom(...good),
    fc.constantFrom(
      Buffer.from([5, 2, 0, 0x80]),
      Buffer.from([5, 0]),
      Buffer.from([5, 1, 0, 3, 1, 0x61, 0, 7]),
      Buffer.from([1, 0, 0, 0, 0, 0]),
    ),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 5 }), async (messages) => {
      await using client = await openRawClient(rig.socks)
      client.write(Buffer.concat(messages))
      client.socket.end()
      await client.ended
      expect(Buffer.from(client.text, 'latin1').toString('hex')).toMatch(
        /^(?:05ff|05(?:80|00))?(?:01(?:00|05))?(?:05[0-8]{2}0001000000000000)?$/,
      )
    }),
    { numRuns: 250 },
  )
  expect(connector.openings.every((opening) => opening.kind === 'tcp')).toBe(true)
  await using client = await openRawClient(rig.socks)
  client.write(Buffer.from([5, 1, 0x80]))
  expect((await client.take(2)).toString('hex')).toBe('0580')
})
