import { formatAddress } from '@sallyport/core'
import { expect } from '../expect.ts'
import { openClient, playBackend } from '../played-backend.ts'
import { answerEach, ask, head, type HttpProxyCase, ok } from './http-proxy-case.ts'

export type RefusalCase =
  | 'answers an address that is not exposed with 403 in the documented words'
  | 'answers 502 when the backend refuses connections'
  | 'answers 502 when the backend closes without an answer'
  | 'answers 502 when the backend does not speak HTTP'
  | 'answers 4xx to heads that two readers could understand differently, and closes'
  | 'takes nothing behind a malformed body for a request'
  | 'closes behind what is no HTTP at all'

const ambiguousHeads: Readonly<Record<string, string>> = {
  'Content-Length with Transfer-Encoding': 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
  'two lengths': 'Content-Length: 5\r\nContent-Length: 6\r\n',
  'a list of lengths': 'Content-Length: 5, 5\r\n',
  'a signed length': 'Content-Length: +5\r\n',
  'a hexadecimal length': 'Content-Length: 0x5\r\n',
  'a coding in disguise': 'Transfer-Encoding: xchunked\r\n',
  'two codings': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
  'a blank before the colon': 'Transfer-Encoding : chunked\r\n',
  'a folded line': 'X-A: 1\r\n Transfer-Encoding: chunked\r\n',
  'a bare line feed': 'X-A: 1\nTransfer-Encoding: chunked\r\n',
  'a bare carriage return': 'X-A: 1\rX-B: 2\r\n',
  'a NUL': 'X-A: 1\0\r\n',
  'a line without a name': ': 1\r\n',
  'two hosts': 'Host: other.example\r\n',
}

const malformedBodies: Readonly<Record<string, string>> = {
  'a chunk size that is none': 'zz\r\nhello\r\n0\r\n\r\n',
  'a negative chunk size': '-5\r\nhello\r\n0\r\n\r\n',
  'a chunk longer than it says': '5\r\nhelloo\r\n0\r\n\r\n',
  'an endless chunk size': `${'0'.repeat(20_000)}5\r\nhello\r\n0\r\n\r\n`,
  'a length in the trailers': '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n',
}

/** What is answered when a request does not reach its backend, or must not. */
export const refusalCases: Readonly<Record<RefusalCase, HttpProxyCase>> = {
  'answers an address that is not exposed with 403 in the documented words': {
    requires: 'refusals',
    async run(context) {
      const { notExposed } = context.far
      if (notExposed === undefined) throw new Error('the subject claims refusals and names no address that is not exposed')
      const system = formatAddress(notExposed)
      const answer = await ask(context, head(context, `GET http://${system}/ HTTP/1.1`))
      expect(answer.status, 'status').toBe(403)
      expect(answer.body, 'body').toContain(`Access denied to system ${system}`)
    },
  },
  'answers 502 when the backend refuses connections': {
    async run(context) {
      const authority = formatAddress(await context.far.unused())
      expect((await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`))).status, 'status').toBe(502)
    },
  },
  'answers 502 when the backend closes without an answer': {
    async run(context) {
      const { authority } = await playBackend(context, (peer) => peer.read('\r\n\r\n').then(() => peer.stream.end()))
      expect((await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`))).status, 'status').toBe(502)
    },
  },
  'answers 502 when the backend does not speak HTTP': {
    async run(context) {
      for (const answer of ['SSH-2.0-OpenSSH_9.9\r\n', ok.replace('Content-Length: 2', 'Content-Length: 1\r\nContent-Length: 2')]) {
        const { authority } = await playBackend(context, (peer) => answerEach(peer, answer))
        const seen = await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`))
        expect(seen.status, 'status').toBe(502)
        expect(seen.body, 'body').not.toContain('OpenSSH')
      }
    },
  },
  'answers 4xx to heads that two readers could understand differently, and closes': {
    async run(context) {
      const { authority, peers } = await playBackend(context, (peer) => answerEach(peer))
      for (const [what, lines] of Object.entries(ambiguousHeads)) {
        const client = await openClient(context)
        const request = head(context, `POST http://${authority}/ HTTP/1.1`).slice(0, -2)
        client.socket.end(`${request}${lines}\r\n${head(context, `GET http://${authority}/smuggled HTTP/1.1`)}`, 'latin1')
        await client.ended
        expect(client.text, `answer to ${what}`).toMatch(/^HTTP\/1.1 (?:400|501) /)
        expect(client.text.match(/^HTTP\/1/gm)?.length, `answers to ${what}`).toBe(1)
      }
      expect(peers.map(({ text }) => text).join(''), 'what the backend got').toBe('')
    },
  },
  'takes nothing behind a malformed body for a request': {
    async run(context) {
      for (const [what, body] of Object.entries(malformedBodies)) {
        const { authority, peers } = await playBackend(context, async (peer) => {
          for (;;) {
            await peer.read(/^(?:POST [^]*?\r\n\r\n[^]*?\r\n0\r\n|GET )[^]*?\r\n\r\n/)
            peer.write(ok)
          }
        })
        const client = await openClient(context)
        const request = head(context, `POST http://${authority}/ HTTP/1.1`, ['Transfer-Encoding: chunked'])
        client.socket.end(`${request}${body}${head(context, `GET http://${authority}/smuggled HTTP/1.1`)}`)
        await client.ended
        expect(client.text.match(/^HTTP\/1.1 200/gm)?.length ?? 0, `answers of the backend to ${what}`).toBeLessThan(2)
        expect(peers.map(({ text }) => text).join(''), `what the backend got of ${what}`).not.toContain('smuggled')
      }
    },
  },
  'closes behind what is no HTTP at all': {
    async run(context) {
      for (const bytes of ['\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03\r\n\r\n', 'EHLO me\r\n\r\n', '\x05\x01\x80\r\n\r\n']) {
        const client = await openClient(context)
        client.write(Buffer.from(bytes, 'latin1'))
        await client.ended
        expect(
          client.text === '' || /^HTTP\/1.1 4\d\d /.test(client.text),
          `the answer ${JSON.stringify(client.text)} is none or a refusal`,
        ).toBe(true)
      }
    },
  },
}
