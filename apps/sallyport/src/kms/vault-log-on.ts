import { type Clock, ConnectivityError } from '@sallyport/core'
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

/** Logs on with role and secret (the AppRole method), and again when the token is about to end. */
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

  async function logOn(signal: AbortSignal): Promise<{ readonly token: string; readonly seconds: number }> {
    const answer = await request(`${url.replace(/\/+$/, '')}/v1/auth/${mount}/login`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-vault-request': 'true',
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
      },
      body: JSON.stringify({ role_id: roleId().trim(), secret_id: secretId().trim() }),
      signal,
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

  function renew(signal: AbortSignal): Promise<string> {
    const loggedOn = logOn(signal)
    const entry = { token: loggedOn.then(({ token }) => token), untilMs: Number.POSITIVE_INFINITY }
    held = entry
    loggedOn.then(
      // A lease of 0 is one without an end.
      ({ seconds }) => (entry.untilMs = seconds === 0 ? Number.POSITIVE_INFINITY : clock.now() + seconds * usableShareOfLeaseMs),
      () => held === entry && (held = undefined),
    )
    return entry.token
  }

  return {
    token: (signal) => (held !== undefined && clock.now() < held.untilMs ? held.token : renew(signal)),
    async another(refused, signal) {
      const current = await held?.token.catch(() => undefined)
      return current !== undefined && current !== refused ? current : renew(signal)
    },
  }
}

/** Milliseconds that are used of each second of a lease: the rest is for requests under way. */
const usableShareOfLeaseMs = 900
