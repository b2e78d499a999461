import { randomUUID } from 'node:crypto'
import type { Case, Claims } from './case.ts'
import { expect } from './expect.ts'
import { caseLimitMs } from './limits.ts'

type ServiceFeature =
  /** The binding has a client secret, not a certificate. */
  | 'secret'
  /** There is a binding of the destination service. */
  | 'destinations'
  /** A destination is known that is stored there. */
  | 'stored'

/** One call of a service, as HTTP. */
type ServiceRequest = (
  url: string,
  init: {
    readonly method?: 'GET' | 'POST'
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
    readonly signal: AbortSignal
  },
) => Promise<{ readonly status: number; text(): Promise<string> }>

/** The bindings of one application, and how its services are called. */
export interface ServiceParts {
  readonly request: ServiceRequest
  /** Credentials of the binding of plan `lite` of the connectivity service. */
  readonly connectivity: Readonly<Record<string, unknown>>
  /** Credentials of the binding of the destination service (feature `destinations`). */
  readonly destination?: Readonly<Record<string, unknown>>
  /** Name of a destination that is stored (feature `stored`). */
  readonly stored?: string
  /** Longest wait of a case; the default is ten seconds. */
  readonly limitMs?: number
}

/** What a case of the service suite gets. */
interface ServiceContext extends ServiceParts {
  /** Fires when the case has waited too long. */
  readonly signal: AbortSignal
}

export type ServiceCase = Case<ServiceContext, ServiceFeature>

/** Token service and destination service of one installation. */
export interface ServiceSubject extends ServiceParts, Claims<ServiceFeature, ServiceCaseName> {}

/** What an application finds in its bindings and at the services that they name. */
export const serviceCases: Readonly<Record<ServiceCaseName, ServiceCase>> = {
  'names the HTTP port of the proxy twice, alike': {
    proves: ['CP-001'],
    async run({ connectivity }) {
      const { onpremise_proxy_http_port: current, onpremise_proxy_port: deprecated } = connectivity
      expect(current, 'onpremise_proxy_http_port').toMatch(/^\d+$/)
      expect(deprecated, 'onpremise_proxy_port').toBe(current)
    },
  },
  'gives every port as text': {
    proves: ['CP-002'],
    async run({ connectivity }) {
      const ports = Object.entries(connectivity).filter(([name]) => name.endsWith('_port'))
      expect(ports.length, 'number of ports').toBeGreaterThan(0)
      expect(
        ports.filter(([, value]) => typeof value !== 'string').map(([name]) => name),
        'ports that are no text',
      ).toEqual([])
    },
  },
  'names the token service twice, alike and without a path': {
    proves: ['CP-003'],
    async run({ connectivity }) {
      const { url, token_service_url: current } = connectivity
      expect(current, 'token_service_url').toMatch(/^https?:\/\/[^/]+\/?$/)
      expect(url, 'url').toBe(current)
    },
  },
  'issues a token for client credentials': {
    requires: 'secret',
    proves: ['CP-010'],
    async run(context) {
      const answer = await askForToken(context, context.connectivity, {})
      expect(answer.status, 'status').toBe(200)
      const { access_token: token, token_type: type, expires_in: seconds } = answer.body
      expect(typeof token === 'string' && token.split('.').length === 3, 'access_token is a JSON Web Token').toBe(true)
      expect(String(type).toLowerCase(), 'token_type').toBe('bearer')
      expect(seconds, 'expires_in').toBeGreaterThan(0)
    },
  },
  'issues nothing for a wrong secret': {
    requires: 'secret',
    async run(context) {
      const answer = await askForToken(context, context.connectivity, { client_secret: randomUUID() })
      expect(answer.status, 'status').toBe(401)
      expect(answer.body['access_token'], 'access_token').toBe(undefined)
    },
  },
  'issues nothing for a grant that does not exist': {
    requires: 'secret',
    async run(context) {
      const answer = await askForToken(context, context.connectivity, { grant_type: 'no_such_grant' })
      expect([400, 401].includes(answer.status), `status ${answer.status} is 400 or 401`).toBe(true)
      expect(answer.body['access_token'], 'access_token').toBe(undefined)
    },
  },
  'finds a destination, whose values are text': {
    requires: 'stored',
    async run(context) {
      const answer = await askForDestination(context, `destinations/${encodeURIComponent(context.stored ?? '')}`)
      expect(answer.status, 'status').toBe(200)
      const { owner, destinationConfiguration: found } = answer.body as Record<string, Record<string, unknown> | undefined>
      expect(found?.['Name'], 'Name').toBe(context.stored)
      expect(
        Object.entries(found ?? {}).filter(([, value]) => typeof value !== 'string'),
        'values that are no text',
      ).toEqual([])
      expect(typeof owner?.['SubaccountId'], 'type of owner.SubaccountId').toBe('string')
    },
  },
  'answers an unknown destination with 404': {
    requires: 'destinations',
    async run(context) {
      const answer = await askForDestination(context, `destinations/${randomUUID()}`)
      expect(answer.status, 'status').toBe(404)
      expect(typeof answer.body['ErrorMessage'], 'type of ErrorMessage').toBe('string')
    },
  },
  'answers an unknown destination of the subaccount with 404 in the documented words': {
    requires: 'destinations',
    proves: ['DS-030'],
    async run(context) {
      const answer = await askForDestination(context, `subaccountDestinations/${randomUUID()}`)
      expect(answer.status, 'status').toBe(404)
      expect(answer.body, 'body').toEqual({ ErrorMessage: 'Configuration with the specified name was not found' })
    },
  },
  'answers 401 to who brings no token, or none that can be read': {
    requires: 'destinations',
    async run(context) {
      const path = `destinations/${randomUUID()}`
      expect((await askForDestination(context, path, null)).status, 'status without a token').toBe(401)
      const unreadable = await askForDestination(context, path, 'Bearer nonsense')
      expect(unreadable.status, 'status with nonsense').toBe(401)
      expect(unreadable.body['ErrorMessage'], 'ErrorMessage').toBe('Unable to parse the JWT in Authorization Header.')
    },
  },
}

export type ServiceCaseName =
  | 'names the HTTP port of the proxy twice, alike'
  | 'gives every port as text'
  | 'names the token service twice, alike and without a path'
  | 'issues a token for client credentials'
  | 'issues nothing for a wrong secret'
  | 'issues nothing for a grant that does not exist'
  | 'finds a destination, whose values are text'
  | 'answers an unknown destination with 404'
  | 'answers an unknown destination of the subaccount with 404 in the documented words'
  | 'answers 401 to who brings no token, or none that can be read'

/** Runs one case outside of a test runner's table. */
export async function runServiceCase(test: ServiceCase, parts: ServiceParts): Promise<void> {
  await test.run({ ...parts, signal: AbortSignal.timeout(parts.limitMs ?? caseLimitMs) })
}

interface ServiceAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

async function askForToken(
  { request, signal }: ServiceContext,
  credentials: Readonly<Record<string, unknown>>,
  changed: Readonly<Record<string, string>>,
): Promise<ServiceAnswer> {
  const form = {
    grant_type: 'client_credentials',
    client_id: textOf(credentials, 'clientid'),
    client_secret: textOf(credentials, 'clientsecret'),
  }
  const answer = await request(`${textOf(credentials, 'url').replace(/\/$/, '')}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({ ...form, ...changed }).toString(),
    signal,
  })
  return { status: answer.status, body: objectOf(await answer.text()) }
}

/** @param authorization unless given, a token of the destination service's own client; `null` sends none. */
async function askForDestination(context: ServiceContext, path: string, authorization?: string | null): Promise<ServiceAnswer> {
  const credentials = context.destination ?? {}
  const header = authorization === undefined ? `Bearer ${await tokenOf(context, credentials)}` : authorization
  const answer = await context.request(`${textOf(credentials, 'uri').replace(/\/$/, '')}/destination-configuration/v1/${path}`, {
    headers: { accept: 'application/json', ...(header === null ? {} : { authorization: header }) },
    signal: context.signal,
  })
  return { status: answer.status, body: objectOf(await answer.text()) }
}

async function tokenOf(context: ServiceContext, credentials: Readonly<Record<string, unknown>>): Promise<string> {
  const { status, body } = await askForToken(context, credentials, {})
  expect(status, 'status of the token for the destination service').toBe(200)
  return String(body['access_token'])
}

function textOf(credentials: Readonly<Record<string, unknown>>, name: string): string {
  const value = credentials[name]
  if (typeof value !== 'string') throw new Error(`the binding has no "${name}"`)
  return value
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  const value = text.startsWith('{') ? (JSON.parse(text) as unknown) : {}
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
