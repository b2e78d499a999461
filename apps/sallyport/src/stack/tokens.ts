import { ConnectivityError } from '@sallyport/core'
import type { ServiceBinding } from './bindings.ts'
import type { Requester } from './request.ts'

/** What the token service answered with. */
export interface IssuedToken {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly scope?: string
}

/**
 * Asks the token service for a token with the client of a binding, over the wire like any application.
 *
 * @throws ConnectivityError `TOKEN_NOT_ISSUED` with the service's text.
 */
export async function fetchToken(
  request: Requester,
  binding: ServiceBinding,
  parameters: Readonly<Record<string, string>>,
): Promise<IssuedToken> {
  const { url, certurl, clientid, clientsecret, certificate, key } = binding.credentials
  const identity = typeof certificate === 'string' && typeof key === 'string' ? { certificate, key } : undefined
  if (typeof url !== 'string' || typeof clientid !== 'string' || (typeof clientsecret !== 'string' && identity === undefined)) {
    throw new ConnectivityError('BINDING_INVALID', `binding ${binding.name} has no url, clientid and clientsecret or certificate`)
  }
  const base = identity !== undefined && typeof certurl === 'string' ? certurl : url
  const proof = typeof clientsecret === 'string' ? { client_secret: clientsecret } : {}
  const answer = await request(`${base}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({ client_id: clientid, ...proof, ...parameters }).toString(),
    ...(identity === undefined ? {} : { identity }),
  })
  const body = parseObject(await answer.text())
  if (answer.status !== 200 || typeof body['access_token'] !== 'string') {
    const text = textOf(body['error_description']) || textOf(body['error']) || `status ${answer.status}`
    throw new ConnectivityError('TOKEN_NOT_ISSUED', `the token service refused a token for client ${clientid}: ${text}`, {
      details: { status: answer.status },
    })
  }
  return body as unknown as IssuedToken
}

/** Reads a JSON object; anything else is an empty one. */
export function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** A claim or member as text; empty for what is not a text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
