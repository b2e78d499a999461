import { type Clock, ConnectivityError, underSignal, withDeadline } from '@sallyport/core'
import type { Requester } from '../stack/request.ts'
import { parseObject } from '../stack/tokens.ts'

/** How we become somebody at a Vault. */
export interface VaultLogOn {
  token(signal: AbortSignal): Promise<string>
  /** A token other than this one, which was refused; `undefined` when there is none. */
  another(refused: string, signal: AbortSignal): Promise<string | undefined>
}

/** A token that somebody else keeps valid, such as an agent that writes it to a file; asked for again each time. */
export function createTokenLogOn(read: () => string): VaultLogOn {
  return {
    token: () => Promise.resolve(read().trim()),
    another(refused) {
      const token = read().trim()
      return Promise.resolve(token === refused ? undefined : token)
    },
  }
}

/**
 * Logs on with role and secret (the AppRole method), and again when the token is about to end. Whoever needs a token at the same time waits for the same log-on, which
 * has a deadline of its own: a caller who gives up ends its own wait and nobody else's.
 */
export function createAppRoleLogOn(options: {
  readonly name: string
  readonly url: string
  readonly mount: string
  readonly namespace: string | undefined
  readonly roleId: () => string
  readonly secretId: () => string
  readonly request: Requester
  readonly clock: Clock
}): VaultLogOn {
  const { name, url, mount, namespace, roleId, secretId, request, clock } = options
  let held: { readonly token: Promise<string>; untilMs: number } | undefined

  async function logOn(): Promise<{ readonly token: string; readonly seconds: number }> {
    const answer = await request(`${url.replace(/\/+$/, '')}/v1/auth/${mount}/login`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-vault-request': 'true',
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
      },
      body: JSON.stringify({ role_id: roleId().trim(), secret_id: secretId().trim() }),
      signal: withDeadline(logOnTimeoutMs),
    })
    const { auth } = parseObject(await answer.text())
    const { client_token: token, lease_duration: seconds } = (auth ?? {}) as Readonly<Record<string, unknown>>
    if (answer.status === 200 && typeof token === 'string') return { token, seconds: typeof seconds === 'number' ? seconds : 0 }
    const refused = answer.status >= 400 && answer.status < 404
    throw new ConnectivityError(
      refused ? 'ENCRYPTION_KEY_UNAVAILABLE' : 'SERVICE_UNAVAILABLE',
      `${name}: logging on at auth/${mount} was answered with ${answer.status}; check role and secret`,
    )
  }

  function renew(): Promise<string> {
    const loggedOn = logOn()
    const entry = { token: loggedOn.then(({ token }) => token), untilMs: Number.POSITIVE_INFINITY }
    held = entry
    loggedOn.then(
      // A lease of 0 is one without an end.
      ({ seconds }) => (entry.untilMs = seconds === 0 ? Number.POSITIVE_INFINITY : clock.now() + seconds * usableShareOfLeaseMs),
      () => held === entry && (held = undefined),
    )
    return entry.token
  }

  const current = (): Promise<string> => (held !== undefined && clock.now() < held.untilMs ? held.token : renew())
  const anotherThan = async (refused: string): Promise<string> => {
    const asked = held
    // Why it failed is told to those who wait for it.
    const known = await asked?.token.catch(() => undefined)
    if (known !== undefined && known !== refused) return known
    // Somebody else may have been refused as well and have begun to log on meanwhile.
    return held === asked ? renew() : current()
  }
  const attempt = `${name}: log on at auth/${mount}`
  return {
    token: (signal) => underSignal(current(), signal, attempt),
    another: (refused, signal) => underSignal(anotherThan(refused), signal, attempt),
  }
}

/** One request to a server that is near; callers that do not wait so long have a signal. */
const logOnTimeoutMs = 5_000

/** Milliseconds that are used of each second of a lease: the rest is for requests under way. */
const usableShareOfLeaseMs = 900
