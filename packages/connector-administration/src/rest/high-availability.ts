import { networkInterfaces } from 'node:os'
import { z } from 'zod'
import { maxChannelGraceMinutes } from '../limits.ts'
import type { Pair } from '../high-availability/pair-contract.ts'
import { invalidRequest } from './rest-error.ts'
import { type Route, route } from './route.ts'
import { tolerantBoolean, tolerantInteger } from './tolerant-values.ts'

const base = '/api/v1/configuration/connector/ha'
const hostName = /^[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,253}[A-Za-z0-9])?$/

/** Settings and states of master and shadow (cloud-connector.md §8.4). */
export function highAvailability({ pair, version }: { readonly pair: Pair; readonly version: string }): readonly Route[] {
  return [...masterRoutes(pair), ...graceRoutes(pair), ...replacedRoutes(pair), ...shadowRoutes(pair, version)]
}

function masterRoutes(pair: Pair): readonly Route[] {
  const only = { only: 'master', otherwise: 400 } as const
  return [
    route({
      method: 'GET',
      path: `${base}/master/config`,
      permission: 'all',
      ...only,
      handle() {
        const { allowedShadowHost, haEnabled } = pair.settings.master
        return { status: 200, body: { haEnabled, allowedShadowHost } }
      },
    }),
    route({
      method: 'PUT',
      path: `${base}/master/config`,
      permission: 'administrators',
      ...only,
      body: z.object({
        haEnabled: tolerantBoolean,
        allowedShadowHost: z
          .string()
          .max(255)
          .default('')
          .refine((host) => host === '' || hostName.test(host), 'is not the name of a host'),
      }),
      async handle({ body, caller }) {
        await pair.configureMaster(caller.user, body)
        return { status: 204 }
      },
    }),
    route({
      method: 'GET',
      path: `${base}/master/state`,
      permission: 'all',
      ...only,
      handle: () => ({ status: 200, body: { state: pair.masterState, shadowHost: pair.settings.peer?.host ?? '' } }),
    }),
    route({
      method: 'POST',
      path: `${base}/master/state`,
      permission: 'administrators',
      ...only,
      body: z.object({ op: z.enum(['SWITCH', 'FORCE_SWITCH']) }),
      async handle({ body: { op }, caller }) {
        await pair.switchRole(caller.user, op === 'FORCE_SWITCH')
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${base}/master/state`,
      permission: 'administrators',
      ...only,
      async handle({ caller }) {
        await pair.reset(caller.user, 'master')
        return { status: 204 }
      },
    }),
  ]
}

/** How long clients of service channels may finish at a switch. The original has it on its pages only, so the path is our own. */
function graceRoutes(pair: Pair): readonly Route[] {
  const path = '/api/private/v1/highAvailability/serviceChannelGrace'
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      only: 'master',
      handle: () => ({ status: 200, body: { minutes: pair.settings.master.channelGraceInMinutes } }),
    }),
    route({
      method: 'PUT',
      path,
      permission: 'administrators',
      only: 'master',
      body: z.object({ minutes: tolerantInteger(0, maxChannelGraceMinutes) }),
      async handle({ body, caller }) {
        await pair.setChannelGrace(caller.user, body.minutes)
        return { status: 204 }
      },
    }),
  ]
}

/** What a former master had that the new one may lack. */
function replacedRoutes(pair: Pair): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/private/v1/highAvailability/replaced',
      permission: 'administrators',
      handle: async () => ({ status: 200, body: await pair.replaced() }),
    }),
  ]
}

const shadowBody = z.object({
  masterHost: z
    .string()
    .max(255)
    .refine((host) => host === '' || hostName.test(host), 'is not the name of a host'),
  masterPort: tolerantInteger(1, 65_535),
  ownHost: z.string().max(255).default(''),
  checkIntervalInSeconds: tolerantInteger(1, 3_600).default(60),
  takeoverDelayInSeconds: tolerantInteger(0, 3_600).default(30),
  connectTimeoutInMillis: tolerantInteger(1, 600_000).default(1_000),
  requestTimeoutInMillis: tolerantInteger(1, 600_000).default(2_000),
})

function shadowRoutes(pair: Pair, version: string): readonly Route[] {
  const only = { only: 'shadow' } as const
  return [
    route({
      method: 'GET',
      path: `${base}/shadow/config`,
      permission: 'all',
      ...only,
      handle: () => ({ status: 200, body: pair.settings.shadow }),
    }),
    route({
      method: 'PUT',
      path: `${base}/shadow/config`,
      permission: 'administrators',
      ...only,
      body: shadowBody,
      async handle({ body, caller }) {
        const ownHost = body.ownHost === '' ? (ownHosts()[0] ?? '') : body.ownHost
        await pair.configureShadow(caller.user, { ...body, ownHost })
        return { status: 200, body: pair.settings.shadow }
      },
    }),
    route({
      method: 'GET',
      path: `${base}/shadow/state`,
      permission: 'all',
      ...only,
      handle: () => ({
        status: 200,
        body: {
          state: pair.shadowState,
          ownHosts: ownHosts(),
          ...(pair.shadowMessage === undefined ? {} : { stateMessage: pair.shadowMessage }),
          ...(pair.masterVersion === undefined
            ? {}
            : { masterVersions: { version: pair.masterVersion, ok: pair.masterVersion === version } }),
        },
      }),
    }),
    route({
      method: 'POST',
      path: `${base}/shadow/state`,
      permission: 'administrators',
      ...only,
      body: z.object({
        op: z.enum(['CONNECT', 'DISCONNECT']),
        user: z.string().max(255).optional(),
        password: z.string().max(1024).optional(),
        masterFingerprint: z
          .string()
          .regex(/^(?:[0-9A-Fa-f]{2}[:\s]?){32}$/, 'is not the SHA-256 of a certificate')
          .optional(),
      }),
      async handle({ body: { masterFingerprint: fingerprint, op, password, user }, caller }) {
        if (op === 'DISCONNECT') await pair.disconnect(caller.user)
        else if ((user === undefined) !== (password === undefined)) throw invalidRequest('user and password go together')
        else await pair.connect(caller.user, user === undefined || password === undefined ? undefined : { user, password, fingerprint })
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${base}/shadow/state`,
      permission: 'administrators',
      ...only,
      async handle({ caller }) {
        await pair.reset(caller.user, 'shadow')
        return { status: 204 }
      },
    }),
  ]
}

/** Addresses under which the other instance may find this one. */
function ownHosts(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const outside = addresses.filter(({ internal }) => !internal)
  return (outside.length === 0 ? addresses : outside).map(({ address }) => address)
}
