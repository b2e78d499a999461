import { expect } from '../expect.ts'
import { openClient, playBackend } from '../played-backend.ts'
import { readAnswer } from '../raw-peer.ts'
import { alteredToken, unsignedToken } from '../token-forgery.ts'
import { answerEach, ask, head, type HttpProxyCase } from './http-proxy-case.ts'

export type AuthorizationCase =
  | 'answers 407 to a request without a token, and names the scheme'
  | 'answers 407 to what is no token'
  | 'answers 407 to a token with an altered payload'
  | 'answers 407 to tokens that are not signed with a key of the issuer'
  | 'takes the token as user name of Basic authentication'
  | 'authorises every request of a connection, not only the first'
  | 'shows no token in its answers'
  | 'asks for no token where it trusts its network'

/** Who may use the proxy. */
export const authorizationCases: Readonly<Record<AuthorizationCase, HttpProxyCase>> = {
  'answers 407 to a request without a token, and names the scheme': {
    requires: 'authorization',
    proves: ['CP-045', 'CL-131'],
    async run(context) {
      const { authority, peers } = await playBackend(context, (peer) => answerEach(peer))
      const answer = await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`, [], { authorization: '' }))
      expect(answer.status, 'status').toBe(407)
      expect(answer.head, 'head').toMatch(/^proxy-authenticate: Bearer/im)
      expect(peers.length, 'connections to the backend').toBe(0)
    },
  },
  'answers 407 to what is no token': {
    requires: 'authorization',
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      for (const authorization of ['Bearer', 'Bearer a b', 'Digest x', 'Basic !!!', 'Bearer not-a-token', context.far.token]) {
        const answer = await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`, [], { authorization }))
        expect(answer.status, authorization === context.far.token ? 'a token without scheme' : authorization).toBe(407)
      }
    },
  },
  'answers 407 to a token with an altered payload': {
    requires: 'authorization',
    proves: ['CP-047'],
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      const authorization = `Bearer ${alteredToken(context.far.token)}`
      expect((await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`, [], { authorization }))).status, 'status').toBe(407)
    },
  },
  'answers 407 to tokens that are not signed with a key of the issuer': {
    requires: 'authorization',
    proves: ['CP-048'],
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      for (const algorithm of ['none', 'HS256'] as const) {
        const authorization = `Bearer ${unsignedToken(context.far.token, algorithm)}`
        const answer = await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`, [], { authorization }))
        expect(answer.status, `alg ${algorithm}`).toBe(407)
      }
    },
  },
  'takes the token as user name of Basic authentication': {
    requires: 'authorization',
    proves: ['CP-034'],
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      const authorization = `Basic ${Buffer.from(`${context.far.token}:`).toString('base64')}`
      expect((await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`, [], { authorization }))).status, 'status').toBe(200)
    },
  },
  'authorises every request of a connection, not only the first': {
    requires: 'authorization',
    proves: ['CL-128'],
    async run(context) {
      const { authority, peers } = await playBackend(context, (peer) => answerEach(peer))
      const client = await openClient(context)
      client.write(head(context, `GET http://${authority}/1 HTTP/1.1`))
      expect((await readAnswer(client)).status, 'status with a token').toBe(200)
      client.write(head(context, `GET http://${authority}/2 HTTP/1.1`, [], { authorization: '' }))
      expect((await readAnswer(client)).status, 'status without').toBe(407)
      expect(peers[0]?.text ?? '', 'what the backend got').not.toContain('/2')
    },
  },
  'shows no token in its answers': {
    requires: 'authorization',
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      const forged = alteredToken(context.far.token)
      const signature = forged.split('.')[2] ?? ''
      for (const line of [`GET http://${authority}/ HTTP/1.1`, `GET https://${authority}/ HTTP/1.1`]) {
        const answer = await ask(context, head(context, line, [], { authorization: `Bearer ${forged}`, host: authority }))
        expect(answer.status, line).toBeGreaterThan(399)
        expect(`${answer.head}${answer.body}`.includes(signature), `a token stands in the answer to ${line}`).toBe(false)
      }
    },
  },
  'asks for no token where it trusts its network': {
    requires: 'trusted',
    proves: ['CP-039'],
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      for (const authorization of ['', 'Bearer nonsense']) {
        expect((await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`, [], { authorization }))).status, 'status').toBe(200)
      }
    },
  },
}
