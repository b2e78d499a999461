import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from '../expect.ts'
import { openClient, playBackend, playElsewhere } from '../played-backend.ts'
import { alteredToken, unsignedToken } from '../token-forgery.ts'
import { answerTo, greeting, hex, openAdmitted, openJoined, replyOf, type Socks5Case, targetMessage, tokenMessage } from './socks5-case.ts'

export type NegotiationCase =
  | 'answers the token method with itself, also among others'
  | 'answers a list without the token method with ff, and closes'
  | 'closes without an answer on another version'
  | 'answers a valid token without location with 01 00'
  | 'answers everything but a valid token with 01 05, and closes'
  | 'reads the location ID as Base64 of UTF-8'
  | 'refuses a location ID that is no Base64'
  | 'refuses a token length above all bounds at once'
  | 'takes every message one byte at a time'
  | 'takes messages that arrive together, payload included'

/** Methods and token. */
export const negotiationCases: Readonly<Record<NegotiationCase, Socks5Case>> = {
  'answers the token method with itself, also among others': {
    proves: ['CP-062'],
    async run(context) {
      for (const methods of [greeting, Buffer.of(5, 2, 0, 0x80), Buffer.of(5, 3, 0x80, 2, 0)]) {
        const client = await openClient(context)
        client.write(methods)
        expect(await hex(client, 2), `answer to ${methods.toString('hex')}`).toBe('0580')
      }
    },
  },
  'answers a list without the token method with ff, and closes': {
    requires: 'authorization',
    proves: ['CP-063', 'CL-140'],
    async run(context) {
      for (const methods of [Buffer.of(5, 2, 0, 2), Buffer.of(5, 1, 0)]) {
        expect(await answerTo(context, methods), `answer to ${methods.toString('hex')}`).toBe('05ff')
      }
      const client = await openClient(context)
      client.write(Buffer.of(5, 2, 0, 0x80))
      expect(await hex(client, 2), 'answer where it stands behind another').toBe('0580')
    },
  },
  'closes without an answer on another version': {
    async run(context) {
      for (const bytes of [Buffer.of(4, 1, 0, 80), Buffer.from('GET / HTTP/1.1\r\n\r\n')]) {
        expect(await answerTo(context, bytes), `answer to ${bytes.toString('hex')}`).toBe('')
      }
    },
  },
  'answers a valid token without location with 01 00': {
    proves: ['CP-064'],
    async run(context) {
      await openAdmitted(context)
    },
  },
  'answers everything but a valid token with 01 05, and closes': {
    requires: 'authorization',
    proves: ['CP-065'],
    async run(context) {
      const { token } = context.far
      const messages: Readonly<Record<string, Buffer>> = {
        'no token': tokenMessage(''),
        garbage: tokenMessage('nonsense'),
        'an altered payload': tokenMessage(alteredToken(token)),
        'no signature': tokenMessage(unsignedToken(token, 'none')),
        'a signature that anybody can make': tokenMessage(unsignedToken(token, 'HS256')),
        'a scheme in front': tokenMessage(`Bearer ${token}`),
        'another sub-version': Buffer.concat([Buffer.of(2), tokenMessage(token).subarray(1)]),
      }
      for (const [what, message] of Object.entries(messages)) {
        expect(await answerTo(context, Buffer.concat([greeting, message])), what).toBe('05800105')
      }
    },
  },
  'reads the location ID as Base64 of UTF-8': {
    requires: 'locations',
    proves: ['CP-066', 'CL-142'],
    async run(context) {
      const here = await playBackend(context, (peer) => peer.write('here'))
      const elsewhere = await playElsewhere(context, here, (peer) => peer.write('there'))
      const far = await openJoined(context, here.address, elsewhere.locationId)
      expect((await far.take(5)).toString(), 'what the backend of that location says').toBe('there')
      const near = await openJoined(context, here.address)
      expect((await near.take(4)).toString(), 'what the backend without location says').toBe('here')
    },
  },
  'refuses a location ID that is no Base64': {
    requires: 'authorization',
    async run(context) {
      const message = tokenMessage(context.far.token, 'orlando')
      message[message.length - 3] = 0x2a
      expect(await answerTo(context, Buffer.concat([greeting, message])), 'answer').toBe('05800105')
    },
  },
  'refuses a token length above all bounds at once': {
    requires: 'authorization',
    async run(context) {
      expect(await answerTo(context, Buffer.concat([greeting, Buffer.of(1, 0x7f, 0xff, 0xff, 0xff)])), 'answer').toBe('05800105')
    },
  },
  'takes every message one byte at a time': {
    proves: ['CP-069'],
    async run(context) {
      const { address } = await playBackend(context)
      const client = await openClient(context)
      for (const byte of Buffer.concat([greeting, tokenMessage(context.far.token, context.far.location), targetMessage(address)])) {
        client.write(Buffer.of(byte))
        await nextTurn()
      }
      expect(await hex(client, 14), 'answers').toBe(`05800100${replyOf(0)}`)
    },
  },
  'takes messages that arrive together, payload included': {
    proves: ['CL-141'],
    async run(context) {
      const { address } = await playBackend(context, ({ stream }) => stream.pipe(stream))
      const client = await openClient(context)
      client.write(
        Buffer.concat([
          greeting,
          tokenMessage(context.far.token, context.far.location),
          targetMessage(address),
          Buffer.from('early payload'),
        ]),
      )
      expect(await hex(client, 14), 'answers').toBe(`05800100${replyOf(0)}`)
      expect((await client.take(13)).toString(), 'the echo').toBe('early payload')
    },
  },
}
