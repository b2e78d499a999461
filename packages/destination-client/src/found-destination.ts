import {
  ConnectivityError,
  createSecret,
  type Credentials,
  credentialsOf,
  type Destination,
  parseDestination,
  type Secret,
} from '@sallyport/core'
import { foreignText } from './destination-errors.ts'

/** A key store or trust store that belongs to a destination. */
export interface DestinationCertificate {
  readonly name: string
  readonly type: string
  /** The file. Key stores hold private keys. */
  readonly content: Secret<Buffer>
}

/** What the destination service answered, parsed once. */
export interface FoundDestination {
  /** Its `properties` are without passwords and client secrets; those are in `secrets`. */
  readonly destination: Destination
  /** What to present at the target: the service's token where it gave one, else what the properties name. */
  readonly credentials: Credentials
  readonly certificates: readonly DestinationCertificate[]
  readonly owner: { readonly subaccountId: string | undefined; readonly instanceId: string | undefined }
  /** Properties that are secret, e.g. `KeyStorePassword`. */
  readonly secrets: Secret<Readonly<Record<string, string>>>
}

const secretProperty =
  /^(?:Password|clientSecret|tokenServicePassword|(?:tokenService\.)?KeyStorePassword|TrustStorePassword|mail\.password|ldap\.password|jco\.client\.passwd|jco\.client\.tech_user_secret|jco\.destination\.repository\.passwd)$/i

/**
 * Reads an answer of "find destination".
 *
 * @throws ConnectivityError `PROTOCOL_VIOLATION` when it is none, `TOKEN_NOT_ISSUED` when the service could not get a token
 * for the destination, `DESTINATION_INVALID` when a property is unusable.
 */
export function parseFoundDestination(body: unknown, nowMs: number, attempt: string): FoundDestination {
  const answer = object(body)
  const configuration = object(answer?.['destinationConfiguration'])
  if (answer === undefined || configuration === undefined) {
    throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the answer holds no destination`)
  }
  const properties: Record<string, string> = {}
  const secrets: Record<string, string> = {}
  for (const [key, value] of Object.entries(configuration)) {
    if (typeof value !== 'string') continue
    if (secretProperty.test(key)) secrets[key] = value
    else properties[key] = value
  }
  const owner = object(answer['owner'])
  return {
    // Some secrets have a place of their own in the destination, wrapped; none stays among the properties.
    destination: { ...parseDestination({ ...properties, ...secrets }), properties },
    credentials: tokenCredentials(answer['authTokens'], nowMs, attempt) ?? credentialsOf({ ...properties, ...secrets }),
    certificates: list(answer['certificates']).map((entry) => ({
      name: text(entry['Name']) ?? '',
      type: text(entry['Type']) ?? '',
      content: createSecret(Buffer.from(text(entry['Content']) ?? '', 'base64')),
    })),
    owner: { subaccountId: text(owner?.['SubaccountId']), instanceId: text(owner?.['InstanceId']) },
    secrets: createSecret(secrets),
  }
}

/** The first token without an error; `undefined` where the destination has none. */
function tokenCredentials(tokens: unknown, nowMs: number, attempt: string): Credentials | undefined {
  const entries = list(tokens)
  if (entries.length === 0) return undefined
  const good = entries.find((entry) => entry['error'] === undefined || entry['error'] === null)
  if (good === undefined) {
    throw new ConnectivityError('TOKEN_NOT_ISSUED', `${attempt}: no token for the target: "${foreignText(entries[0]?.['error'])}"`)
  }
  const header = object(good['http_header'])
  const name = text(header?.['key'])
  const value = text(header?.['value'])
  if (name === undefined || value === undefined) {
    throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the token for the target comes without its header`)
  }
  const seconds = good['expires_in'] === undefined ? Number.NaN : Number(good['expires_in'])
  return {
    kind: 'header',
    name,
    value: createSecret(value),
    ...(Number.isNaN(seconds) ? {} : { expiresAtMs: nowMs + seconds * 1000 }),
  }
}

function object(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map((entry) => object(entry) ?? {}) : []
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
