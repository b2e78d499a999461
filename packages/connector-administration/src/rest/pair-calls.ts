import { type Pair, peerStatusSchema, shadowRequestSchema } from '../high-availability/pair-contract.ts'
import { type Route, route } from './route.ts'

const base = '/api/private/v1/highAvailability'

/** What the two instances of a pair ask each other. After they have met, the caller shows a secret that only both know. */
export function pairCalls({ served }: Pair): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: `${base}/shadows`,
      permission: 'administrators',
      only: 'master',
      body: shadowRequestSchema,
      handle: async ({ address, body, caller }) => ({ status: 200, body: await served.register(body, { address, user: caller.user }) }),
    }),
    route({
      method: 'POST',
      path: `${base}/ping`,
      permission: 'everybody',
      body: peerStatusSchema,
      async handle({ body, headers }) {
        served.requirePeer(headers.authorization)
        return { status: 200, body: await served.ping(body) }
      },
    }),
    route({
      method: 'GET',
      path: `${base}/snapshot`,
      permission: 'everybody',
      async handle({ headers }) {
        served.requirePeer(headers.authorization)
        return { status: 200, body: await served.snapshot() }
      },
    }),
    route({
      method: 'POST',
      path: `${base}/configurationChanged`,
      permission: 'everybody',
      async handle({ headers }) {
        served.requirePeer(headers.authorization)
        await served.configurationChanged()
        return { status: 204 }
      },
    }),
    route({
      method: 'POST',
      path: `${base}/restoring`,
      permission: 'everybody',
      handle({ headers }) {
        served.requirePeer(headers.authorization)
        served.awaitRestore()
        return { status: 204 }
      },
    }),
    route({
      method: 'POST',
      path: `${base}/takeOver`,
      permission: 'everybody',
      async handle({ headers, query }) {
        served.requirePeer(headers.authorization)
        await served.takeOver((query['user'] ?? 'master').slice(0, 255))
        return { status: 204 }
      },
    }),
  ]
}
