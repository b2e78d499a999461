import { type Clock, ConnectivityError, createSecret, type Secret, underSignal, withDeadline } from '@sallyport/core'
import { createBoundedMap } from './bounded-map.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'
import { tokenRefusal } from './destination-errors.ts'
import { callTimeoutMs, circuitOpenMs as defaultCircuitOpenMs, maxCachedTokens, maxTokenAnswerBytes, tokenMarginMs } from './limits.ts'
import type { OAuthClient } from './oauth-client.ts'
import { repeat } from './repeat.ts'
import { createServiceCaller, type ServiceCallerOptions } from './service-call.ts'
import { createSingleFlight } from './single-flight.ts'

/** Technical tokens of one client, cached by tenant until shortly before they expire. */
export interface TokenSource extends AsyncDisposable {
  /**
   * @param options.tenant a subscriber's tenant (the value of its `zid`); without it the client's own.
   * @throws ConnectivityError `TOKEN_NOT_ISSUED`, `PEER_UNREACHABLE`, `PEER_UNTRUSTED`, `SERVICE_UNAVAILABLE`, `PROTOCOL_VIOLATION`, …
   */
  get(options?: { readonly tenant?: string; readonly signal?: AbortSignal }): Promise<Secret>
  /** Forgets a token that somebody did not accept; the next `get` fetches a new one. Another token of the tenant stays. */
  forget(token: Secret): void
}

/** Whose tokens, and where they come from. */
export interface TokenSourceOptions {
  readonly client: OAuthClient
  readonly clock: Clock
  /** PEM certificates of authorities to trust besides Node's own. */
  readonly ca?: readonly string[]
  /** Limit of one fetch with its repetitions; the default is ten seconds. */
  readonly timeoutMs?: number
  /** Limit of one new connection, TLS included; the default is three seconds. */
  readonly connectTimeoutMs?: number
  /** How long no call is made after half of ten have failed; the default is thirty seconds, 0 switches that off. */
  readonly circuitOpenMs?: number
  /** Spreads repetitions; the default is `Math.random`. */
  readonly random?: () => number
}

interface CachedToken {
  readonly token: Secret
  readonly renewAtMs: number
  readonly expiresAtMs: number
}

/** Makes a source of client-credentials tokens (RFC 6749 §4.4), with secret or certificate (RFC 8705) as the binding says. */
export function createTokenSource({
  client,
  clock,
  ca,
  timeoutMs = callTimeoutMs,
  connectTimeoutMs,
  circuitOpenMs = defaultCircuitOpenMs,
  random = Math.random,
}: TokenSourceOptions): TokenSource {
  const circuit = createCircuitBreaker({ clock, openMs: circuitOpenMs })
  const caller = createServiceCaller({ ...callerOptions(client, ca), ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }) })
  const cache = createBoundedMap<CachedToken>(maxCachedTokens)
  const share = createSingleFlight<CachedToken>()

  const fetchToken = async (tenant: string): Promise<CachedToken> => {
    const url = tokenUrl(client, tenant)
    const attempt = `get a token from ${url.origin}`
    const signal = withDeadline(timeoutMs)
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId })
    if (client.proof.kind === 'secret') body.set('client_secret', client.proof.secret.reveal())
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...(tenant === '' ? {} : { 'x-zid': tenant }),
    }
    // Asking twice for a token of this grant changes nothing, so it may be repeated.
    return repeat(
      async () => {
        const askedAtMs = clock.now()
        const answer = await caller.call({
          method: 'POST',
          url,
          headers,
          body: body.toString(),
          maxBytes: maxTokenAnswerBytes,
          signal,
          attempt,
        })
        if (answer.status !== 200) throw tokenRefusal(attempt, answer.status, answer.body)
        const cached = readAnswer(answer.body, askedAtMs, attempt)
        cache.set(tenant, cached)
        return cached
      },
      { clock, signal, attempt, random },
    )
  }

  return {
    async get({ tenant = '', signal } = {}) {
      const cached = cache.get(tenant)
      const now = clock.now()
      if (cached !== undefined && now < cached.renewAtMs) return cached.token
      const flight = share(tenant, () => circuit.run(tenant, 'get a token', () => fetchToken(tenant)))
      try {
        const fetched = await (signal === undefined ? flight : underSignal(flight, signal, 'get a token'))
        return fetched.token
      } catch (error) {
        // One that is due for renewal and still valid bridges an outage of the token service.
        if (cached !== undefined && clock.now() < cached.expiresAtMs && ConnectivityError.is(error) && error.traits.retryable)
          return cached.token
        throw error
      }
    },
    forget(token) {
      for (const tenant of cache.keys()) if (cache.get(tenant)?.token.reveal() === token.reveal()) cache.delete(tenant)
    },
    async [Symbol.asyncDispose]() {
      cache.clear()
      await caller[Symbol.asyncDispose]()
    },
  }
}

function callerOptions({ proof }: OAuthClient, ca: readonly string[] | undefined): ServiceCallerOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(proof.kind === 'secret' ? {} : { certificate: proof.certificate, key: proof.key }),
  }
}

/** Where clients ask: at the URL of the binding for the own tenant, at `uaadomain` (always https) with `x-zid` for another. */
function tokenUrl({ tokenUrl: own, domain, proof }: OAuthClient, tenant: string): URL {
  if (tenant === '' || domain === undefined) return own
  const host = proof.kind === 'certificate' ? domain.replace('authentication.', 'authentication.cert.') : domain
  return new URL(`https://${host}/oauth/token`)
}

function readAnswer(body: unknown, askedAtMs: number, attempt: string): CachedToken {
  const answer = (body ?? {}) as { access_token?: unknown; token_type?: unknown; expires_in?: unknown }
  const token = answer.access_token
  // Visible ASCII only: it becomes part of headers.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || String(answer.token_type).toLowerCase() !== 'bearer') {
    throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the answer holds no bearer token`)
  }
  const lifeMs = Number(answer.expires_in) * 1000
  if (!(lifeMs > 0)) throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the answer does not say how long the token is valid`)
  const expiresAtMs = askedAtMs + lifeMs
  return { token: createSecret(token), expiresAtMs, renewAtMs: expiresAtMs - Math.min(tokenMarginMs, lifeMs / 2) }
}
