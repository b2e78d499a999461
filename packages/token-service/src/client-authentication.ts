import type { Clock } from '@sallyport/core'
import { certificateAdmitted, certificateThumbprint, type PresentedCertificate } from './client-certificate.ts'
import { matchesClientSecret } from './client-secret.ts'
import type { ClientDirectory, OAuthClient } from './oauth-client.ts'
import type { RequestParameters } from './request-parameters.ts'
import { invalidClient, refusal } from './token-errors.ts'

/** A client that has proved who it is. */
export interface AuthenticatedClient {
  readonly client: OAuthClient
  /** Set when a TLS certificate was the proof: tokens are bound to it (RFC 8705). */
  readonly certificateThumbprint: string | undefined
}

interface Pair {
  readonly id: string
  readonly secret: string
}

/**
 * Authenticates the client of a token request by Basic header, body or TLS certificate.
 *
 * Basic credentials are tried as they are and percent-decoded: the standard says decoded, most clients send them raw, and ids with `!` and `|` look
 * different in the two. A `client_id` in the body beside the header has to name the same client.
 *
 * @throws ConnectivityError, see {@link refusal}: 401 `invalid_client`; 400 `invalid_request` when no credentials came at all.
 */
export async function authenticateClient(
  request: {
    readonly authorization: string | undefined
    readonly parameters: RequestParameters
    readonly certificate: PresentedCertificate | undefined
  },
  { clients, clock }: { readonly clients: ClientDirectory; readonly clock: Clock },
): Promise<AuthenticatedClient> {
  const { parameters, certificate } = request
  const bodyId = parameters.get('client_id')
  const bodySecret = parameters.get('client_secret')
  const basic = request.authorization === undefined ? undefined : parseBasic(request.authorization)

  if (basic !== undefined) {
    for (const { id, secret } of basic) {
      const client = await clients.findById(id)
      const matched = matchesClientSecret(secret, client?.secretHashes ?? [])
      const agreed = (bodyId === undefined || bodyId === id) && (bodySecret === undefined || bodySecret === secret)
      if (client !== undefined && matched && agreed) return { client, certificateThumbprint: undefined }
    }
    throw invalidClient()
  }
  if (bodyId === undefined) throw refusal(401, 'invalid_client', 'Client credentials are missing')
  const client = await clients.findById(bodyId)
  if (bodySecret !== undefined) {
    if (matchesClientSecret(bodySecret, client?.secretHashes ?? []) && client !== undefined)
      return { client, certificateThumbprint: undefined }
    throw invalidClient()
  }
  if (certificate !== undefined && client !== undefined && certificateAdmitted(certificate, client.certificates, clock.now())) {
    return { client, certificateThumbprint: certificateThumbprint(certificate.certificate) }
  }
  throw invalidClient()
}

/** The readings of a Basic header, at most two. @throws ConnectivityError for a header that is none. */
function parseBasic(authorization: string): readonly Pair[] {
  const encoded = /^basic +([\w+/-]+={0,2}) *$/i.exec(authorization)?.[1]
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1) throw invalidClient()
  const raw = { id: text.slice(0, colon), secret: text.slice(colon + 1) }
  if (!/[%+]/.test(text)) return [raw]
  try {
    const decode = (part: string): string => decodeURIComponent(part.replaceAll('+', ' '))
    return [raw, { id: decode(raw.id), secret: decode(raw.secret) }]
  } catch {
    // Not percent-encoded after all: the raw reading is the only one.
    return [raw]
  }
}
