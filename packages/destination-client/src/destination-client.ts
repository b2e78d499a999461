import { createHash } from 'node:crypto'
import { type Clock, ConnectivityError, type Logger, type Secret, silentLogger, underSignal, withDeadline } from '@sallyport/core'
import { createBoundedMap } from './bounded-map.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'
import { type CacheVerdict, judge } from './cache-policy.ts'
import { type DestinationBinding, parseDestinationBinding } from './destination-binding.ts'
import { findRefusal, isTransient } from './destination-errors.ts'
import { flowDigest, type FlowInput, flowHeaders } from './flow-input.ts'
import { type FoundDestination, parseFoundDestination } from './found-destination.ts'
import {
  cacheMs as defaultCacheMs,
  callTimeoutMs,
  circuitOpenMs as defaultCircuitOpenMs,
  maxCachedDestinations,
  maxDestinationAnswerBytes,
  outagePauseMs,
  staleMs as defaultStaleMs,
} from './limits.ts'
import { repeat } from './repeat.ts'
import { selectBinding, type ServiceBinding } from './service-binding.ts'
import { createServiceCaller, type ServiceAnswer } from './service-call.ts'
import { createSingleFlight } from './single-flight.ts'
import { createTokenSource } from './token-source.ts'

/** Whose view of a destination is wanted. */
export interface FindOptions {
  /** On whose behalf: for destinations whose token depends on the user. */
  readonly userToken?: Secret
  /** A subscriber's tenant (the value of its `zid`); without it the tenant of the binding. Nothing of another tenant is ever answered. */
  readonly tenant?: string
  /** What the destination's authentication type asks for besides the user. Answers are kept apart by it. */
  readonly flow?: FlowInput
  /** Asks the service even if a fresh answer is at hand. */
  readonly fresh?: boolean
  readonly signal?: AbortSignal
}

/** Finds destinations over the REST API. Disposing closes its connections. */
export interface DestinationClient extends AsyncDisposable {
  /** @throws ConnectivityError `DESTINATION_NOT_FOUND`, `DESTINATION_INVALID`, `TOKEN_NOT_ISSUED`, `ACCESS_DENIED`, `SERVICE_UNAVAILABLE`, … */
  find(name: string, options?: FindOptions): Promise<FoundDestination>
  /** Forgets what is cached: one destination of every tenant and user, or all. */
  forget(name?: string): void
}

interface ClientOptions {
  readonly clock: Clock
  readonly log?: Logger
  /** PEM certificates of authorities to trust besides Node's own. */
  readonly ca?: readonly string[]
  /** How long an answer counts as fresh; the default is five minutes, 0 switches the cache off. */
  readonly cacheMs?: number
  /** How long an older answer is used while the service fails; the default is an hour, 0 switches that off. */
  readonly staleMs?: number
  /** Limit of one look-up with its repetitions, token included; the default is ten seconds. */
  readonly timeoutMs?: number
  /** Limit of one new connection, TLS included; the default is three seconds. */
  readonly connectTimeoutMs?: number
  /** How long a service is not asked after half of ten calls for a tenant have failed; the default is thirty seconds, 0 switches that off. */
  readonly circuitOpenMs?: number
  /** Spreads repetitions; the default is `Math.random`. */
  readonly random?: () => number
}

/** Which destination service is asked, and how. */
export type DestinationClientOptions = ClientOptions &
  (
    | { readonly binding: DestinationBinding }
    /** What `readBindings` found; `bindingName` picks one of several. */
    | { readonly bindings: readonly ServiceBinding[]; readonly bindingName?: string }
  )

interface Entry extends CacheVerdict {
  readonly found: FoundDestination
}

/** Makes a client of one binding of the destination service. */
export function createDestinationClient(options: DestinationClientOptions): DestinationClient {
  const {
    clock,
    log = silentLogger,
    ca,
    cacheMs = defaultCacheMs,
    staleMs = defaultStaleMs,
    timeoutMs = callTimeoutMs,
    connectTimeoutMs,
    circuitOpenMs = defaultCircuitOpenMs,
    random = Math.random,
  } = options
  const binding = bindingOf(options)
  const base = binding.uri.href.replace(/\/+$/, '')
  const reach = { ...(ca === undefined ? {} : { ca }), ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }) }
  const tokens = createTokenSource({ ...reach, clock, random, client: binding.client, timeoutMs, circuitOpenMs })
  const circuit = createCircuitBreaker({ clock, openMs: circuitOpenMs })
  const caller = createServiceCaller(reach)
  const cache = createBoundedMap<Entry>(maxCachedDestinations)
  const share = createSingleFlight<FoundDestination>()

  const ask = async (
    name: string,
    { userToken, tenant, flow }: FindOptions,
    signal: AbortSignal,
    attempt: string,
  ): Promise<FoundDestination> => {
    const url = new URL(`${base}/destination-configuration/v1/destinations/${encodeURIComponent(name)}`)
    const getToken = (): Promise<Secret> => tokens.get({ signal, ...(tenant === undefined ? {} : { tenant }) })
    const askOnce = (token: Secret): Promise<ServiceAnswer> =>
      repeat(
        async () => {
          const headers = {
            authorization: `Bearer ${token.reveal()}`,
            accept: 'application/json',
            ...(userToken === undefined ? {} : { 'x-user-token': userToken.reveal() }),
            ...flowHeaders(flow),
          }
          const answer = await caller.call({ method: 'GET', url, headers, maxBytes: maxDestinationAnswerBytes, signal, attempt })
          if (isTransient(answer.status)) throw findRefusal(attempt, answer.status, answer.body)
          return answer
        },
        { clock, signal, attempt, random },
      )
    const callWith = (token: Secret): Promise<ServiceAnswer> => circuit.run(tenant ?? '', attempt, () => askOnce(token))
    let token = await getToken()
    let answer = await callWith(token)
    if (answer.status === 401) {
      // Keys may have been exchanged since the token was issued.
      tokens.forget(token)
      token = await getToken()
      answer = await callWith(token)
    }
    if (answer.status !== 200) throw findRefusal(attempt, answer.status, answer.body)
    return parseFoundDestination(answer.body, clock.now(), attempt)
  }

  const keep = (name: string, find: FindOptions, found: FoundDestination): void => {
    const verdict = judge(found, clock.now(), { cacheMs, staleMs })
    if (cacheMs > 0 && verdict.keep) cache.set(keyOf(name, find, verdict.perUser), { ...verdict, found })
  }

  return {
    async find(name, find = {}) {
      const attempt = `find destination ${JSON.stringify(name.slice(0, 200))}`
      if (name === '' || name.length > 200) throw new ConnectivityError('DESTINATION_INVALID', `${attempt}: names have 1 to 200 characters`)
      const own = cache.get(keyOf(name, find, true))
      const common = cache.get(keyOf(name, find, false))
      const entry = own ?? (common?.perUser === false ? common : undefined)
      if (entry !== undefined && find.fresh !== true && clock.now() < entry.freshUntilMs) return entry.found
      // The flight belongs to all who wait for it, so it has its own limit, and each of them leaves by its own signal.
      const fetchIt = async (): Promise<FoundDestination> => {
        const found = await ask(name, find, withDeadline(timeoutMs), attempt)
        keep(name, find, found)
        return found
      }
      const flight = find.fresh === true ? fetchIt() : share(keyOf(name, find, true), fetchIt)
      try {
        return await (find.signal === undefined ? flight : underSignal(flight, find.signal, attempt))
      } catch (error) {
        if (!ConnectivityError.is(error) || find.signal?.aborted === true) throw error
        if (error.code === 'DESTINATION_NOT_FOUND') {
          cache.delete(keyOf(name, find, true))
          cache.delete(keyOf(name, find, false))
        }
        if (entry === undefined || find.fresh === true || !error.traits.retryable || clock.now() >= entry.staleUntilMs) throw error
        const pausedUntilMs = Math.min(clock.now() + outagePauseMs, entry.staleUntilMs)
        cache.set(keyOf(name, find, entry.perUser), { ...entry, freshUntilMs: pausedUntilMs })
        log.warn({ destination: name, code: error.code }, 'destination service failed, an older answer is used')
        return entry.found
      }
    },
    forget(name) {
      for (const key of cache.keys()) if (name === undefined || nameOf(key) === name) cache.delete(key)
    },
    async [Symbol.asyncDispose]() {
      cache.clear()
      await Promise.all([caller[Symbol.asyncDispose](), tokens[Symbol.asyncDispose]()])
    },
  }
}

function bindingOf(options: DestinationClientOptions): DestinationBinding {
  if ('binding' in options) return options.binding
  const { bindings, bindingName } = options
  return parseDestinationBinding(
    selectBinding(bindings, { service: 'destination', ...(bindingName === undefined ? {} : { name: bindingName }) }),
  )
}

/** Cache key: name, tenant, input of the flow, user. Tokens themselves are not kept. */
function keyOf(name: string, { tenant = '', userToken, flow }: FindOptions, perUser: boolean): string {
  const user = perUser && userToken !== undefined ? createHash('sha256').update(userToken.reveal()).digest('base64') : ''
  return JSON.stringify([name, tenant, flowDigest(flow), user])
}

function nameOf(key: string): unknown {
  return (JSON.parse(key) as unknown[])[0]
}
