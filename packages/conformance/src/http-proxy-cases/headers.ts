import { expect } from '../expect.ts'
import { openClient, playBackend, playElsewhere } from '../played-backend.ts'
import { answerEach, ask, head, headAtBackend, type HttpProxyCase } from './http-proxy-case.ts'
import { readAnswer } from '../raw-peer.ts'

export type HeaderCase =
  | 'keeps Proxy-Authorization from the backend'
  | 'keeps SAP-Connectivity-ConsumerAccount from the backend'
  | 'keeps the control headers from the backend'
  | 'keeps hop-by-hop headers from the backend'
  | 'keeps the token of a user from the backend'
  | 'passes Authorization on unchanged'
  | 'matches names of control headers whatever their case'
  | 'does not deliver a client certificate that the application made up'
  | 'keeps order and number of repeated headers'
  | 'refuses a control header that stands twice with 400'
  | 'refuses two principals in one request with 400'

/** What the backend gets of the headers. */
export const headerCases: Readonly<Record<HeaderCase, HttpProxyCase>> = {
  'keeps Proxy-Authorization from the backend': {
    requires: 'authorization',
    proves: ['CP-026'],
    async run(context) {
      const seen = await headAtBackend(context, [])
      expect(seen, 'head at the backend').not.toMatch(/^proxy-authorization:/im)
      expect(seen.includes(context.far.token), 'the token is at the backend').toBe(false)
    },
  },
  'keeps SAP-Connectivity-ConsumerAccount from the backend': {
    proves: ['CP-028'],
    async run(context) {
      expect(await headAtBackend(context, ['SAP-Connectivity-ConsumerAccount: x']), 'head at the backend').not.toMatch(/consumeraccount/i)
    },
  },
  'keeps the control headers from the backend': {
    requires: 'locations',
    proves: ['CP-029'],
    async run(context) {
      const elsewhere = await playElsewhere(context, await playBackend(context), (peer) => answerEach(peer))
      const lines = [
        `SAP-Connectivity-SCC-Location_ID: ${elsewhere.locationId}`,
        'SAP-Connectivity-Region-Configuration-Id: eu',
        `SAP-Connectivity-Technical-Authentication: Bearer ${context.far.token}`,
        `SAP-CP-Connectivity-Service-Token: ${context.far.token}`,
        'X-Kept: yes',
      ]
      expect((await ask(context, head(context, `GET http://${elsewhere.authority}/ HTTP/1.1`, lines))).status, 'status').toBe(200)
      expect(elsewhere.peers[0]?.text ?? '', 'head at the backend').toMatch(/^X-Kept: yes\r$/m)
      expect(elsewhere.peers[0]?.text ?? '', 'head at the backend').not.toMatch(/^SAP-C/im)
    },
  },
  'keeps hop-by-hop headers from the backend': {
    proves: ['CL-124'],
    async run(context) {
      const lines = [
        'Proxy-Connection: keep-alive',
        'Proxy-Foo: 1',
        'Connection: X-Hop',
        'X-Hop: gone',
        'Keep-Alive: timeout=5',
        'TE: trailers',
        'Cookie: a=b',
      ]
      const seen = await headAtBackend(context, lines)
      expect(seen, 'head at the backend').toMatch(/^cookie: a=b\r$/im)
      expect(seen, 'head at the backend').not.toMatch(/^(?:proxy-|x-hop|keep-alive|te:)/im)
    },
  },
  'keeps the token of a user from the backend': {
    requires: 'users',
    async run(context) {
      const [user = ''] = context.far.users ?? []
      const seen = await headAtBackend(context, [`SAP-Connectivity-Authentication: Bearer ${user}`])
      expect(seen, 'head at the backend').not.toMatch(/^sap-connectivity-authentication:/im)
      expect(seen.includes(user), 'the token of the user is at the backend').toBe(false)
    },
  },
  'passes Authorization on unchanged': {
    proves: ['CP-030'],
    async run(context) {
      expect(await headAtBackend(context, ['Authorization: Basic dTpw']), 'head at the backend').toMatch(/^authorization: Basic dTpw\r$/im)
    },
  },
  'matches names of control headers whatever their case': {
    requires: 'locations',
    proves: ['CP-031'],
    async run(context) {
      const elsewhere = await playElsewhere(context, await playBackend(context), (peer) => answerEach(peer))
      const lines = [`sap-CONNECTIVITY-scc-location_id: ${elsewhere.locationId}`]
      const client = await openClient(context)
      client.write(
        head(context, `GET http://${elsewhere.authority}/ HTTP/1.1`, lines).replace(
          'Proxy-Authorization: Bearer',
          'PROXY-authorization: BEARER',
        ),
      )
      expect((await readAnswer(client)).status, 'status').toBe(200)
      expect(elsewhere.peers.length, 'connections to the backend of that location').toBe(1)
    },
  },
  'does not deliver a client certificate that the application made up': {
    proves: ['CP-032'],
    async run(context) {
      const seen = await headAtBackend(context, ['SSL_CLIENT_CERT: MIIB-made-up', 'ssl-client-cert: MIIB-made-up'])
      expect(seen, 'head at the backend').not.toContain('made-up')
    },
  },
  'keeps order and number of repeated headers': {
    proves: ['CP-033'],
    async run(context) {
      const seen = await headAtBackend(context, ['X-B: 1', 'x-a: 2', 'X-B: 3', 'X-b: 4'])
      expect(
        [...seen.matchAll(/^x-[ab]: (\d)\r$/gim)].map((match) => match[1]),
        'values at the backend',
      ).toEqual(['1', '2', '3', '4'])
    },
  },
  'refuses a control header that stands twice with 400': {
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      const line = 'SAP-Connectivity-SCC-Location_ID: a'
      expect((await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`, [line, line]))).status, 'status').toBe(400)
    },
  },
  'refuses two principals in one request with 400': {
    requires: 'users',
    proves: ['CP-060'],
    async run(context) {
      const { authority, peers } = await playBackend(context, (peer) => answerEach(peer))
      const [user = ''] = context.far.users ?? []
      const lines = [
        `SAP-Connectivity-Authentication: Bearer ${user}`,
        `SAP-Connectivity-Technical-Authentication: Bearer ${context.far.token}`,
      ]
      expect((await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`, lines))).status, 'status').toBe(400)
      expect(peers.length, 'connections to the backend').toBe(0)
    },
  },
}
