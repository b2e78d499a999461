import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { connect, TLSSocket, type TLSSocketOptions } from 'node:tls'
import { expect } from '../expect.ts'
import { openClient, playBackend } from '../played-backend.ts'
import { greeting, openJoined, type Socks5Case, targetMessage, tokenMessage } from './socks5-case.ts'

export type RelayCase =
  | 'passes the end of the application on, and the answer after it'
  | 'passes the end of the backend on, and what the application says after it'
  | 'serves an application that ends its side before anything was answered'
  | 'tells a reset of the backend by a reset'
  | 'ends the connection at once when the backend ends it'
  | 'delivers a greeting that the backend sends first'
  | 'carries large transfers whole in both directions'
  | 'carries TLS between application and backend untouched'
  | 'keeps several connections apart'

/** The opaque bytes behind the reply. */
export const relayCases: Readonly<Record<RelayCase, Socks5Case>> = {
  'passes the end of the application on, and the answer after it': {
    proves: ['CP-078'],
    async run(context) {
      const backend = await playBackend(context)
      const client = await openJoined(context, backend.address)
      const peer = await backend.accept()
      client.socket.end('last words')
      await peer.read('last words')
      expect(await peer.ended, 'how the backend heard of the end').toBe('end')
      peer.stream.end('answer')
      expect(await client.read('answer'), 'the answer').toBe('answer')
      expect(await client.ended, 'how the connection ended').toBe('end')
    },
  },
  'passes the end of the backend on, and what the application says after it': {
    proves: ['CP-078'],
    async run(context) {
      const backend = await playBackend(context, ({ stream }) => stream.end('bye'))
      const client = await openJoined(context, backend.address)
      await client.read('bye')
      expect(await client.ended, 'how the application heard of the end').toBe('end')
      client.write('still sending')
      expect(await (await backend.accept()).read('still sending'), 'what the backend got').toBe('still sending')
    },
  },
  'serves an application that ends its side before anything was answered': {
    async run(context) {
      const { address } = await playBackend(context, ({ stream }) => stream.pipe(stream))
      const client = await openClient(context)
      client.socket.end(
        Buffer.concat([
          greeting,
          tokenMessage(context.far.token, context.far.location),
          targetMessage(address),
          Buffer.from('all at once'),
        ]),
      )
      expect(await client.ended, 'how the connection ended').toBe('end')
      expect(client.text.slice(14), 'the echo').toBe('all at once')
    },
  },
  'tells a reset of the backend by a reset': {
    proves: ['CP-080'],
    async run(context) {
      const resets: (() => void)[] = []
      const address = await context.far.serve((end) => {
        end.stream.on('error', () => {})
        resets.push(() => end.reset())
        end.stream.write('here')
      })
      const client = await openJoined(context, address)
      await client.read('here')
      for (const reset of resets) reset()
      expect(await client.ended, 'how the connection ended').toBe('reset')
    },
  },
  'ends the connection at once when the backend ends it': {
    proves: ['CP-080'],
    async run(context) {
      const { address, accept } = await playBackend(context)
      const client = await openJoined(context, address)
      ;(await accept()).stream.end()
      expect(await client.ended, 'how the connection ended').toBe('end')
    },
  },
  'delivers a greeting that the backend sends first': {
    proves: ['CP-082'],
    async run(context) {
      const { address } = await playBackend(context, (peer) => peer.write('220 mail.example ESMTP\r\n'))
      const client = await openJoined(context, address)
      expect(await client.read('\r\n'), 'the greeting').toBe('220 mail.example ESMTP\r\n')
    },
  },
  'carries large transfers whole in both directions': {
    async run(context) {
      const { address } = await playBackend(context, ({ stream }) => stream.pipe(stream))
      const client = await openJoined(context, address)
      const data = randomBytes(4_000_000)
      client.write(data)
      expect((await client.take(data.length)).equals(data), 'the echo is what was sent').toBe(true)
    },
  },
  'carries TLS between application and backend untouched': {
    proves: ['CP-079'],
    async run(context) {
      // A key that both sides know needs no certificate.
      const psk = randomBytes(32)
      const psks = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const
      const address = await context.far.serve(({ stream }) => {
        const secure = new TLSSocket(stream, { isServer: true, ...psks, pskCallback: () => psk } as TLSSocketOptions)
        secure.on('error', () => {})
        secure.pipe(secure)
      })
      const client = await openJoined(context, address)
      client.socket.removeAllListeners('data')
      const secure = connect({
        socket: client.socket,
        ...psks,
        pskCallback: () => ({ psk, identity: 'case' }),
        checkServerIdentity: () => undefined,
      })
      await once(secure, 'secureConnect', { signal: context.signal })
      secure.write('secret')
      const [echo] = (await once(secure, 'data', { signal: context.signal })) as [Buffer]
      expect(echo.toString(), 'the echo').toBe('secret')
      secure.destroy()
    },
  },
  'keeps several connections apart': {
    async run(context) {
      const { address } = await playBackend(context, ({ stream }) => stream.pipe(stream))
      const clients = await Promise.all([1, 2, 3, 4, 5].map(() => openJoined(context, address)))
      clients.forEach((client, index) => client.write(`number ${index}`))
      const echoes = await Promise.all(clients.map(async (client) => (await client.take(8)).toString()))
      expect(echoes, 'echoes').toEqual(clients.map((_, index) => `number ${index}`))
    },
  },
}
