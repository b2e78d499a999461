import { randomUUID } from 'node:crypto'
import { expect } from '../expect.ts'
import { playBackend, playDotted } from '../played-backend.ts'
import { hex, openAdmitted, openJoined, replyOf, replyTo, type Socks5Case, targetMessage } from './socks5-case.ts'

export type TargetCase =
  | 'reaches a mapping by its domain, and replies ten bytes with an IPv4 address'
  | 'takes an IPv4 address for the virtual host of its dotted text'
  | 'answers an IPv6 address with 08'
  | 'answers BIND and UDP ASSOCIATE with 07'
  | 'answers an address that is not exposed with 02'
  | 'answers a location that no connector has with 03'
  | 'answers a backend that refuses connections with 04'
  | 'answers a malformed target with 01'

/** What a client asks for. */
export const targetCases: Readonly<Record<TargetCase, Socks5Case>> = {
  'reaches a mapping by its domain, and replies ten bytes with an IPv4 address': {
    proves: ['CP-070', 'CP-077', 'CL-144'],
    async run(context) {
      const backend = await playBackend(context, ({ stream }) => stream.pipe(stream))
      const client = await openJoined(context, backend.address)
      client.write('ping')
      expect((await client.take(4)).toString(), 'what follows the reply').toBe('ping')
      expect(backend.peers.length, 'connections to the backend').toBe(1)
    },
  },
  'takes an IPv4 address for the virtual host of its dotted text': {
    requires: 'dotted',
    proves: ['CP-071'],
    async run(context) {
      const { address } = await playDotted(context, (peer) => peer.write('dotted'))
      const client = await openAdmitted(context)
      client.write(Buffer.of(5, 1, 0, 1, ...address.host.split('.').map(Number), address.port >> 8, address.port & 255))
      expect(await hex(client, 10), 'reply').toBe(replyOf(0))
      expect((await client.take(6)).toString(), 'what the backend says').toBe('dotted')
    },
  },
  'answers an IPv6 address with 08': {
    proves: ['CP-072'],
    async run(context) {
      expect(await replyTo(context, Buffer.concat([Buffer.of(5, 1, 0, 4), Buffer.alloc(18, 1)])), 'reply').toBe(replyOf(8))
    },
  },
  'answers BIND and UDP ASSOCIATE with 07': {
    proves: ['CP-073'],
    async run(context) {
      const { address } = await playBackend(context)
      for (const command of [2, 3]) {
        expect(await replyTo(context, targetMessage(address, command)), `reply to command ${command}`).toBe(replyOf(7))
      }
    },
  },
  'answers an address that is not exposed with 02': {
    requires: 'refusals',
    proves: ['CP-074'],
    async run(context) {
      const { notExposed } = context.far
      if (notExposed === undefined) throw new Error('the subject claims refusals and names no address that is not exposed')
      expect(await replyTo(context, targetMessage(notExposed)), 'reply').toBe(replyOf(2))
    },
  },
  'answers a location that no connector has with 03': {
    proves: ['CP-075'],
    async run(context) {
      const { address } = await playBackend(context)
      expect(await replyTo(context, targetMessage(address), randomUUID()), 'reply').toBe(replyOf(3))
    },
  },
  'answers a backend that refuses connections with 04': {
    proves: ['CP-076'],
    async run(context) {
      expect(await replyTo(context, targetMessage(await context.far.unused())), 'reply').toBe(replyOf(4))
    },
  },
  'answers a malformed target with 01': {
    async run(context) {
      const { address } = await playBackend(context)
      expect(await replyTo(context, targetMessage({ host: 'host:with:colons', port: 7 })), 'reply to a host with colons').toBe(replyOf(1))
      expect(await replyTo(context, targetMessage({ host: address.host, port: 0 })), 'reply to port 0').toBe(replyOf(1))
    },
  },
}
