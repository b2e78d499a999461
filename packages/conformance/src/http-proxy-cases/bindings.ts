import { randomUUID } from 'node:crypto'
import { expect } from '../expect.ts'
import { openClient, playBackend, playElsewhere } from '../played-backend.ts'
import { readAnswer } from '../raw-peer.ts'
import { answerEach, ask, head, type HttpProxyCase, ok } from './http-proxy-case.ts'

export type BindingCase =
  | 'never sends a request for another virtual host to the backend of the first'
  | 'answers another virtual host with 403 in the documented words, and goes on with the first'
  | 'answers another location with 400 in the documented words'
  | 'answers another user with 403'
  | 'selects the connector by the location ID, whose case counts'
  | 'answers a location that no connector has with 503 in the documented words'

const locationHeader = 'SAP-Connectivity-SCC-Location_ID'

/** What a connection is bound to, and which connector it reaches. */
export const bindingCases: Readonly<Record<BindingCase, HttpProxyCase>> = {
  'never sends a request for another virtual host to the backend of the first': {
    proves: ['CP-085'],
    async run(context) {
      const first = await playBackend(context, (peer) => answerEach(peer))
      const second = await playBackend(context, (peer) => answerEach(peer, ok.replace('ok', 'no')))
      const client = await openClient(context)
      client.write(head(context, `GET http://${first.authority}/1 HTTP/1.1`))
      expect((await readAnswer(client)).body, 'body of the first answer').toBe('ok')
      client.write(head(context, `GET http://${second.authority}/2 HTTP/1.1`))
      const answer = await readAnswer(client)
      expect(
        answer.status === 403 || answer.body === 'no',
        `the second answer (${answer.status}) is a refusal, or of the second backend`,
      ).toBe(true)
      expect(first.peers.map(({ text }) => text).join(''), 'what the first backend got').not.toContain('/2')
    },
  },
  'answers another virtual host with 403 in the documented words, and goes on with the first': {
    requires: 'strict',
    async run(context) {
      const [first, second] = [
        await playBackend(context, (peer) => answerEach(peer)),
        await playBackend(context, (peer) => answerEach(peer)),
      ]
      const client = await openClient(context)
      client.write(head(context, `GET http://${first.authority}/1 HTTP/1.1`))
      await readAnswer(client)
      client.write(head(context, `GET http://${second.authority}/path?q=1 HTTP/1.1`))
      const refused = await readAnswer(client)
      expect(refused.status, 'status').toBe(403)
      expect(refused.body, 'body').toContain(`Access denied to resource /path on system ${second.authority}`)
      expect(second.peers.length, 'connections to the other backend').toBe(0)
      client.write(head(context, `GET http://${first.authority}/2 HTTP/1.1`))
      expect((await readAnswer(client)).body, 'body of the next answer').toBe('ok')
    },
  },
  'answers another location with 400 in the documented words': {
    requires: 'locations',
    async run(context) {
      const backend = await playBackend(context, (peer) => answerEach(peer))
      const { locationId, peers } = await playElsewhere(context, backend, (peer) => answerEach(peer))
      const client = await openClient(context)
      client.write(head(context, `GET http://${backend.authority}/ HTTP/1.1`))
      await readAnswer(client)
      client.write(head(context, `GET http://${backend.authority}/ HTTP/1.1`, [`${locationHeader}: ${locationId}`]))
      const refused = await readAnswer(client)
      expect(refused.status, 'status').toBe(400)
      expect(refused.body, 'body').toContain(
        'One of the headers [SAP-Connectivity-ConsumerAccount, SAP-Connectivity-SCC-Location_ID] was set with a different value compared to the value which was already used for this connection. Original tunnel ID: account:///',
      )
      expect(peers.length, 'connections to the backend of that location').toBe(0)
    },
  },
  'answers another user with 403': {
    requires: 'users',
    async run(context) {
      const { authority, peers } = await playBackend(context, (peer) => answerEach(peer))
      const [jane = '', john = ''] = context.far.users ?? []
      const client = await openClient(context)
      const statuses: number[] = []
      for (const user of [jane, john]) {
        client.write(head(context, `GET http://${authority}/ HTTP/1.1`, [`SAP-Connectivity-Authentication: Bearer ${user}`]))
        statuses.push((await readAnswer(client)).status)
      }
      expect(statuses, 'status for each user').toEqual([200, 403])
      expect(peers.length, 'connections to the backend').toBe(1)
    },
  },
  'selects the connector by the location ID, whose case counts': {
    requires: 'locations',
    proves: ['CP-036'],
    async run(context) {
      const backend = await playBackend(context, (peer) => answerEach(peer, ok.replace('ok', 'no')))
      const { locationId, peers } = await playElsewhere(context, backend, (peer) => answerEach(peer))
      const line = `GET http://${backend.authority}/ HTTP/1.1`
      expect((await ask(context, head(context, line, [`${locationHeader}: ${locationId}`]))).body, 'body with the location').toBe('ok')
      expect((await ask(context, head(context, line))).body, 'body without').toBe('no')
      const swapped = locationId === locationId.toLowerCase() ? locationId.toUpperCase() : locationId.toLowerCase()
      expect((await ask(context, head(context, line, [`${locationHeader}: ${swapped}`]))).status, 'status in another case').toBe(503)
      expect(peers.length, 'connections to the backend of that location').toBe(1)
    },
  },
  'answers a location that no connector has with 503 in the documented words': {
    proves: ['CP-037'],
    async run(context) {
      const { authority } = await playBackend(context, (peer) => answerEach(peer))
      const answer = await ask(context, head(context, `GET http://${authority}/ HTTP/1.1`, [`${locationHeader}: ${randomUUID()}`]))
      expect(answer.status, 'status').toBe(503)
      expect(answer.body, 'body').toMatch(/no SAP Cloud Connector \(SCC\) connected.*SCC location ID/)
    },
  },
}
