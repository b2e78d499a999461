import { expect } from '../expect.ts'
import { openClient, playBackend } from '../played-backend.ts'
import { readAnswer } from '../raw-peer.ts'
import { answerEach, head, type HttpProxyCase, ok } from './http-proxy-case.ts'

export type ConnectionCase =
  | 'keeps one backend connection for all requests of a connection'
  | 'ends the backend connection when the application ends its own'
  | 'ends the connection of the application when the backend ends its own'
  | 'closes behind an answer with Connection: close'
  | 'answers pipelined requests in order, one after the other'
  | 'delivers the answer to an application that has ended its side'
  | 'passes an early answer on while the upload is still running'
  | 'cuts an answer that breaks off, so that nobody takes it for complete'
  | 'drops the backend of an application that ends within a body'
  | 'never takes an answer that nobody asked for as the next one'

/** One connection of an application is one connection of a backend. */
export const connectionCases: Readonly<Record<ConnectionCase, HttpProxyCase>> = {
  'keeps one backend connection for all requests of a connection': {
    proves: ['CP-083'],
    async run(context) {
      const { authority, peers } = await playBackend(context, (peer) => answerEach(peer))
      for (const requests of [3, 1]) {
        const client = await openClient(context)
        for (let round = 0; round < requests; round++) {
          client.write(head(context, `GET http://${authority}/${round} HTTP/1.1`))
          expect((await readAnswer(client)).body, 'body').toBe('ok')
        }
      }
      const requestsOf = (text: string): number => text.match(/^GET /gm)?.length ?? 0
      expect(
        peers.map(({ text }) => requestsOf(text)),
        'requests of each backend connection',
      ).toEqual([3, 1])
    },
  },
  'ends the backend connection when the application ends its own': {
    async run(context) {
      const { authority, accept } = await playBackend(context, (peer) => answerEach(peer))
      const client = await openClient(context)
      client.write(head(context, `GET http://${authority}/ HTTP/1.1`))
      await readAnswer(client)
      client.socket.end()
      const peer = await accept()
      await peer.ended
      peer.stream.end()
      await client.ended
    },
  },
  'ends the connection of the application when the backend ends its own': {
    async run(context) {
      const { authority, accept } = await playBackend(context, (peer) => answerEach(peer))
      const client = await openClient(context)
      client.write(head(context, `GET http://${authority}/ HTTP/1.1`))
      await readAnswer(client)
      ;(await accept()).stream.end()
      expect(await client.ended, 'how the connection ended').toBe('end')
    },
  },
  'closes behind an answer with Connection: close': {
    proves: ['CP-084'],
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer, ok.replace('\r\n', '\r\nConnection: close\r\n')))
      const client = await openClient(context)
      client.write(head(context, `GET http://${authority}/ HTTP/1.1`))
      expect(await client.ended, 'how the connection ended').toBe('end')
      expect(client.text, 'the answer').toMatch(/^connection: close\r\n[\s\S]*\r\n\r\nok$/im)
    },
  },
  'answers pipelined requests in order, one after the other': {
    async run(context) {
      const { authority, accept } = await playBackend(context)
      const client = await openClient(context)
      client.write(
        `${head(context, `POST http://${authority}/1 HTTP/1.1`, ['Content-Length: 3'])}one${head(context, `GET http://${authority}/2 HTTP/1.1`)}`,
      )
      const peer = await accept()
      expect(await peer.read('one'), 'before the first answer').not.toContain('/2')
      expect(peer.text, 'before the first answer').not.toContain('/2')
      peer.write(ok.replace('ok', '1!'))
      await peer.read('\r\n\r\n')
      peer.write(ok.replace('ok', '2!'))
      expect([(await readAnswer(client)).body, (await readAnswer(client)).body], 'answers').toEqual(['1!', '2!'])
    },
  },
  'delivers the answer to an application that has ended its side': {
    async run(context) {
      const { authority, accept } = await playBackend(context)
      const client = await openClient(context)
      client.socket.end(head(context, `GET http://${authority}/ HTTP/1.1`))
      const peer = await accept()
      await peer.read('\r\n\r\n')
      peer.write(ok)
      expect((await readAnswer(client)).body, 'body').toBe('ok')
    },
  },
  'passes an early answer on while the upload is still running': {
    async run(context) {
      const { authority, accept } = await playBackend(context)
      const client = await openClient(context)
      client.write(`${head(context, `POST http://${authority}/early HTTP/1.1`, ['Content-Length: 10'])}first`)
      const peer = await accept()
      await peer.read('first')
      peer.write(ok)
      expect((await readAnswer(client)).body, 'body').toBe('ok')
      client.write('later')
      await peer.read('later')
    },
  },
  'cuts an answer that breaks off, so that nobody takes it for complete': {
    async run(context) {
      const { authority } = await playBackend(context, async (peer) => {
        await peer.read('\r\n\r\n')
        peer.stream.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n')
      })
      const client = await openClient(context)
      client.write(head(context, `GET http://${authority}/ HTTP/1.1`))
      expect(await client.ended, 'how the connection ended').toBe('reset')
      expect(client.text, 'the answer').not.toMatch(/^0\r\n/m)
    },
  },
  'drops the backend of an application that ends within a body': {
    async run(context) {
      const { authority, accept } = await playBackend(context)
      const client = await openClient(context)
      client.write(`${head(context, `POST http://${authority}/ HTTP/1.1`, ['Content-Length: 10'])}half`)
      const peer = await accept()
      await peer.read('half')
      client.socket.end()
      // An end says as much as a reset does: the request is shorter than it announced.
      await peer.ended
      expect(peer.text, 'what the backend got').toMatch(/\r\n\r\nhalf$/)
    },
  },
  'never takes an answer that nobody asked for as the next one': {
    async run(context) {
      const { authority, accept } = await playBackend(context)
      const client = await openClient(context)
      client.write(head(context, `GET http://${authority}/ HTTP/1.1`))
      const peer = await accept()
      await peer.read('\r\n\r\n')
      peer.write(`${ok}${ok.replace('ok', 'no')}`)
      expect((await readAnswer(client)).body, 'body').toBe('ok')
      client.write(head(context, `GET http://${authority}/next HTTP/1.1`))
      const next = await Promise.race([
        readAnswer(client).then(
          ({ body }) => body,
          () => 'closed',
        ),
        client.ended,
      ])
      expect(next, 'the next answer').not.toBe('no')
    },
  },
}
