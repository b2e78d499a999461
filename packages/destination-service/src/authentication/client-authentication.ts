import type { DestinationRecord } from '@sallyport/admin-api'
import type { TypedToken } from '../find/find-headers.ts'
import { isFalse } from './property-reading.ts'

/** How a client proves who it is, as parts of a token request. */
export interface ClientProof {
  readonly fields: Readonly<Record<string, string>>
  readonly authorization?: string
}

/** What there is to prove it with, beside the properties. */
export interface ClientMeans {
  readonly clientId: string
  /** Makes it superfluous to have a secret. */
  readonly assertion: TypedToken | undefined
  /** A TLS certificate will be presented. */
  readonly certificate: boolean
  /** The token server wants the id in the form, whatever else is said. */
  readonly idAlwaysInForm: boolean
}

/** The first of: an assertion, a TLS certificate, a technical user of the token service, the client's own secret in the header, or in the form. */
export function proveClient(properties: DestinationRecord, means: ClientMeans): ClientProof {
  const { clientId, assertion, certificate, idAlwaysInForm } = means
  if (assertion !== undefined)
    return { fields: { client_id: clientId, client_assertion_type: assertion.type, client_assertion: assertion.value } }
  if (certificate) return { fields: { client_id: clientId } }
  const inForm = !isFalse(properties, 'tokenService.addClientCredentialsInBody')
  const secret = properties['clientSecret'] ?? ''
  const fields = {
    ...(inForm || idAlwaysInForm ? { client_id: clientId } : {}),
    // A public client has none.
    ...(inForm && secret !== '' ? { client_secret: secret } : {}),
  }
  const user = properties['tokenServiceUser']
  if (user) return { fields, authorization: basic(user, properties['tokenServicePassword'] ?? '') }
  return inForm ? { fields } : { fields, authorization: basic(clientId, secret) }
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`
}
