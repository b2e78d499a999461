import { randomBytes } from 'node:crypto'
import { expect } from '../expect.ts'
import { openClient, playBackend } from '../played-backend.ts'
import { readAnswer } from '../raw-peer.ts'
import { answerEach, head, type HttpProxyCase, ok } from './http-proxy-case.ts'

export type BodyCase =
  | 'passes methods on, heard of or not'
  | 'streams an upload before its end is known'
  | 'streams an answer before its end is known'
  | 'passes Expect: 100-continue and what the backend says to it'
  | 'relays interim answers before the final one'
  | 'ends the answer to HEAD without a body, and goes on'
  | 'knows that 204 and 304 have no body'
  | 'ends a body of unknown length with the connection'
  | 'carries large bodies both ways, unchanged'
  | 'passes status, repeated headers and error bodies on unchanged'
  | 'spares an HTTP/1.0 application interim answers and chunks, and closes'

/** Methods, bodies and answers. */
export const bodyCases: Readonly<Record<BodyCase, HttpProxyCase>> = {
  'passes methods on, heard of or not': {
    proves: ['CP-024'],
    async run(context) {
      const backend = await playBackend(context, (peer) => answerEach(peer, 'HTTP/1.1 204 No Content\r\n\r\n'))
      const client = await openClient(context)
      const methods = ['HEAD', 'PATCH', 'DELETE', 'OPTIONS', 'MERGE', 'PROPFIND', 'X-UNHEARD-OF']
      for (const method of methods) {
        client.write(head(context, `${method} http://${backend.authority}/ HTTP/1.1`))
        expect((await readAnswer(client)).status, `status of ${method}`).toBe(204)
      }
      const seen = [...(backend.peers[0]?.text.matchAll(/^(\S+) \/ HTTP\/1.1$/gm) ?? [])].map((match) => match[1])
      expect(seen, 'methods at the backend').toEqual(methods)
    },
  },
  'streams an upload before its end is known': {
    proves: ['CP-022'],
    async run(context) {
      const backend = await playBackend(context)
      const client = await openClient(context)
      client.write(head(context, `POST http://${backend.authority}/ HTTP/1.1`, ['Transfer-Encoding: chunked']))
      client.write('5\r\nfirst\r\n')
      const peer = await backend.accept()
      await peer.read('first')
      client.write('6\r\nsecond\r\n0\r\n\r\n')
      await peer.read(/second\r\n0\r\n\r\n/)
      peer.write(ok)
      expect((await readAnswer(client)).body, 'body').toBe('ok')
    },
  },
  'streams an answer before its end is known': {
    proves: ['CP-023'],
    async run(context) {
      const backend = await playBackend(context)
      const client = await openClient(context)
      client.write(head(context, `GET http://${backend.authority}/ HTTP/1.1`))
      const peer = await backend.accept()
      await peer.read('\r\n\r\n')
      peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n')
      expect(await client.read('5\r\nfirst\r\n'), 'what came before the end').toContain(' 200 ')
      peer.write('0\r\n\r\n')
      expect(await client.read('0\r\n\r\n'), 'the end').toBe('0\r\n\r\n')
    },
  },
  'passes Expect: 100-continue and what the backend says to it': {
    proves: ['CP-025'],
    async run(context) {
      const backend = await playBackend(context)
      const client = await openClient(context)
      client.write(head(context, `POST http://${backend.authority}/ HTTP/1.1`, ['Content-Length: 4', 'Expect: 100-continue']))
      const peer = await backend.accept()
      expect(await peer.read('\r\n\r\n'), 'head at the backend').toMatch(/^expect: 100-continue\r$/im)
      expect(client.text, 'what came before the backend said so').toBe('')
      peer.write('HTTP/1.1 100 Continue\r\n\r\n')
      expect(await client.read('\r\n\r\n'), 'interim answer').toMatch(/^HTTP\/1.1 100 /)
      client.write('body')
      await peer.read('body')
      peer.write(ok)
      expect((await readAnswer(client)).body, 'body').toBe('ok')
    },
  },
  'relays interim answers before the final one': {
    async run(context) {
      const hint = (path: string): string => `HTTP/1.1 103 Early Hints\r\nLink: <${path}>\r\n\r\n`
      const { authority } = await playBackend(context, (peer) => answerEach(peer, `${hint('/a')}${hint('/b')}${ok}`))
      const client = await openClient(context)
      client.write(head(context, `GET http://${authority}/ HTTP/1.1`))
      for (const path of ['/a', '/b']) {
        const interim = await client.read('\r\n\r\n')
        expect(interim, 'interim answer').toMatch(/^HTTP\/1.1 103 /)
        expect(interim, 'its header').toContain(`<${path}>`)
      }
      expect((await readAnswer(client)).body, 'body').toBe('ok')
    },
  },
  'ends the answer to HEAD without a body, and goes on': {
    proves: ['CL-132'],
    async run(context) {
      const announced = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-CSRF-Token: abc\r\n\r\n'
      const answers = (request: string): string => (request.startsWith('HEAD') ? announced : `${announced}hello`)
      const { authority, peers } = await playBackend(context, (peer) => answerEach(peer, answers))
      const client = await openClient(context)
      client.write(head(context, `HEAD http://${authority}/path/ HTTP/1.1`, ['x-csrf-token: Fetch', 'content-length: 0']))
      expect(await client.read('\r\n\r\n'), 'answer to HEAD').toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*x-csrf-token: abc/i)
      client.write(head(context, `GET http://${authority}/path HTTP/1.1`, ['x-csrf-token: abc']))
      const next = await readAnswer(client)
      expect([next.status, next.body], 'status and body of the next answer').toEqual([200, 'hello'])
      expect(peers.length, 'connections to the backend').toBe(1)
    },
  },
  'knows that 204 and 304 have no body': {
    async run(context) {
      const answers = (request: string): string =>
        request.includes('/204')
          ? 'HTTP/1.1 204 No Content\r\n\r\n'
          : request.includes('/304')
            ? 'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n'
            : ok
      const { authority } = await playBackend(context, (peer) => answerEach(peer, answers))
      const client = await openClient(context)
      for (const status of ['204', '304']) {
        client.write(head(context, `GET http://${authority}/${status} HTTP/1.1`))
        expect((await client.read('\r\n\r\n')).slice(9, 12), 'status').toBe(status)
      }
      client.write(head(context, `GET http://${authority}/ HTTP/1.1`))
      const next = await readAnswer(client)
      expect([next.status, next.body], 'status and body of the next answer').toEqual([200, 'ok'])
    },
  },
  'ends a body of unknown length with the connection': {
    async run(context) {
      const { authority } = await playBackend(context, async (peer) => {
        await peer.read('\r\n\r\n')
        peer.stream.end('HTTP/1.1 200 OK\r\n\r\nuntil the end')
      })
      const client = await openClient(context)
      client.write(head(context, `GET http://${authority}/ HTTP/1.1`))
      expect(await client.ended, 'how the connection ended').toBe('end')
      expect(client.text, 'the answer').toMatch(/^HTTP\/1.1 200 [\s\S]*\r\n\r\nuntil the end$/)
    },
  },
  'carries large bodies both ways, unchanged': {
    async run(context) {
      const body = randomBytes(3_000_000)
      const { authority } = await playBackend(context, async (peer) => {
        await peer.read('\r\n\r\n')
        const received = await peer.take(body.length)
        peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${received.length}\r\n\r\n`)
        peer.write(received)
      })
      const client = await openClient(context)
      client.write(head(context, `PUT http://${authority}/ HTTP/1.1`, [`Content-Length: ${body.length}`]))
      client.write(body)
      expect(Buffer.from((await readAnswer(client)).body, 'latin1').equals(body), 'the body came back unchanged').toBe(true)
    },
  },
  'passes status, repeated headers and error bodies on unchanged': {
    proves: ['CL-127'],
    async run(context) {
      const answers: Readonly<Record<string, string>> = {
        '/redirect':
          'HTTP/1.1 302 Somewhere Else\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nSet-Cookie: a=1\r\nContent-Encoding: br\r\nLocation: http://other.example/\r\nContent-Length: 4\r\n\r\nabcd',
        '/error':
          'HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nsap-err-id: X\r\nTransfer-Encoding: chunked\r\n\r\n4\r\noops\r\n0\r\n\r\n',
        '/logon': 'HTTP/1.1 401 \r\nWWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n',
      }
      const { authority } = await playBackend(context, (peer) => answerEach(peer, (request) => answers[request.split(' ')[1] ?? ''] ?? ok))
      const client = await openClient(context)
      for (const [path, answer] of Object.entries(answers)) {
        client.write(head(context, `GET http://${authority}${path} HTTP/1.1`))
        expect((await client.take(answer.length)).toString('latin1'), `answer to ${path}`).toBe(answer)
      }
    },
  },
  'spares an HTTP/1.0 application interim answers and chunks, and closes': {
    async run(context) {
      const answer =
        'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n5\r\nhello\r\n7\r\n, there\r\n0\r\n\r\n'
      const { authority } = await playBackend(context, (peer) => answerEach(peer, answer))
      const client = await openClient(context)
      client.write(head(context, `GET http://${authority}/ HTTP/1.0`))
      expect(await client.ended, 'how the connection ended').toBe('end')
      expect(client.text, 'the answer').toMatch(/^HTTP\/1.1 200 [\s\S]*\r\n\r\nhello, there$/)
      expect(client.text.toLowerCase(), 'the answer').not.toContain('transfer-encoding')
    },
  },
}
