import { expect } from '../expect.ts'
import { openClient, playBackend } from '../played-backend.ts'
import { readAnswer } from '../raw-peer.ts'
import { answerEach, ask, head, type HttpProxyCase, ok } from './http-proxy-case.ts'

export type RequestFormCase =
  | 'passes an absolute-form request on to the mapped backend'
  | 'answers an https URL with 405'
  | 'answers CONNECT with 405, and goes on or closes in order'
  | 'takes the target of an origin-form request from its Host'
  | 'lets the request line decide, not a Host that differs'
  | 'matches virtual hosts whatever their case'
  | 'passes path and query on byte for byte'
  | 'refuses a target that names no virtual host with 400'
  | 'passes a request line of 8192 bytes, and refuses one of 8193 with 4xx'
  | 'passes a header line of 8192 bytes, and refuses one of 8193 with 4xx'

/** How a request names its target. */
export const requestFormCases: Readonly<Record<RequestFormCase, HttpProxyCase>> = {
  'passes an absolute-form request on to the mapped backend': {
    proves: ['CP-014'],
    async run(context) {
      const backend = await playBackend(context, (peer) => answerEach(peer))
      expect((await ask(context, head(context, `GET http://${backend.authority}/a?b=1 HTTP/1.1`))).body, 'body').toBe('ok')
      expect(backend.peers[0]?.text.split('\r\n')[0], 'request line at the backend').toBe('GET /a?b=1 HTTP/1.1')
    },
  },
  'answers an https URL with 405': {
    proves: ['CP-015'],
    async run(context) {
      const backend = await playBackend(context, (peer) => answerEach(peer))
      expect(
        (await ask(context, head(context, `GET https://${backend.authority}/ HTTP/1.1`, [], { host: backend.authority }))).status,
      ).toBe(405)
      expect(backend.peers.length, 'connections to the backend').toBe(0)
    },
  },
  'answers CONNECT with 405, and goes on or closes in order': {
    proves: ['CP-016'],
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      const client = await openClient(context)
      client.write(head(context, `CONNECT ${authority} HTTP/1.1`, [], { host: authority }))
      const refused = await readAnswer(client)
      expect(refused.status, 'status').toBe(405)
      client.write(head(context, `GET http://${authority}/after HTTP/1.1`))
      const next = await Promise.race([
        readAnswer(client).then(
          ({ body }) => body,
          () => 'closed',
        ),
        client.ended,
      ])
      if (next !== 'ok') expect(await client.ended, 'how the connection ended').toBe('end')
    },
  },
  'takes the target of an origin-form request from its Host': {
    proves: ['CP-017'],
    async run(context) {
      const backend = await playBackend(context, (peer) => answerEach(peer))
      expect((await ask(context, head(context, 'GET /origin HTTP/1.1', [], { host: backend.authority }))).body, 'body').toBe('ok')
      expect(backend.peers[0]?.text ?? '').toMatch(/^GET \/origin HTTP\/1.1\r\n/)
    },
  },
  'lets the request line decide, not a Host that differs': {
    proves: ['CL-120'],
    async run(context) {
      const wanted = await playBackend(context, (peer) => answerEach(peer))
      const named = await playBackend(context, (peer) => answerEach(peer, ok.replace('ok', 'no')))
      const answer = await ask(context, head(context, `GET http://${wanted.authority}/ HTTP/1.1`, [], { host: named.authority }))
      expect(answer.body, 'body').toBe('ok')
      expect(named.peers.length, 'connections to the host of the header').toBe(0)
    },
  },
  'matches virtual hosts whatever their case': {
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      expect((await ask(context, head(context, `GET http://${authority.toUpperCase()}/ HTTP/1.1`))).status, 'status').toBe(200)
    },
  },
  'passes path and query on byte for byte': {
    proves: ['CP-019', 'CL-126'],
    async run(context) {
      const paths = ["/sap//opu/O('1')/$value?$filter=Name%20eq%20'x'&a=+;c", '/%C3%A4/x%20y', '//double//slash', '/?', '/p?q=/../%2e']
      for (const path of paths) {
        const backend = await playBackend(context, (peer) => answerEach(peer))
        expect((await ask(context, head(context, `GET http://${backend.authority}${path} HTTP/1.1`))).status, `status for ${path}`).toBe(
          200,
        )
        expect(backend.peers[0]?.text.split(' ')[1], 'path at the backend').toBe(path)
      }
    },
  },
  'refuses a target that names no virtual host with 400': {
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      for (const target of [`http://user:secret@${authority}/`, `ftp://${authority}/`, 'http:///path']) {
        expect((await ask(context, head(context, `GET ${target} HTTP/1.1`, [], { host: authority }))).status, target).toBe(400)
      }
    },
  },
  'passes a request line of 8192 bytes, and refuses one of 8193 with 4xx': {
    proves: ['CP-020'],
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      const line = (bytes: number): string => {
        const [begin, end] = [`GET http://${authority}/`, ' HTTP/1.1']
        return `${begin}${'x'.repeat(bytes - begin.length - end.length)}${end}`
      }
      expect((await ask(context, head(context, line(8192)))).status, 'status for 8192 bytes').toBe(200)
      expect(classOf((await ask(context, head(context, line(8193)))).status), 'status for 8193 bytes').toBe('4xx')
    },
  },
  'passes a header line of 8192 bytes, and refuses one of 8193 with 4xx': {
    proves: ['CP-021'],
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      const request = (bytes: number): string =>
        head(context, `GET http://${authority}/ HTTP/1.1`, [`x-long: ${'x'.repeat(bytes - 'x-long: '.length)}`])
      expect((await ask(context, request(8192))).status, 'status for 8192 bytes').toBe(200)
      expect(classOf((await ask(context, request(8193))).status), 'status for 8193 bytes').toBe('4xx')
    },
  },
}

function classOf(status: number): string {
  return `${Math.floor(status / 100)}xx`
}
