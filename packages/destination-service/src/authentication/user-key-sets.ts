import { type Clock, ConnectivityError } from '@sallyport/core'
import type { JWK } from 'jose'
import {
  keySetMaxAgeMs,
  keySetMinRefreshMs,
  keySetTimeoutMs,
  maxCachedKeySets,
  maxKeySetCharacters,
  maxKeysOfSet,
  maxModulusCharacters,
} from '../limits.ts'
import type { AuthenticationRequest } from './authentication-request.ts'
import type { CallLimit } from './call-limit.ts'
import type { KeystoreReader } from './keystore-reader.ts'
import type { Outgoing } from './outgoing.ts'
import type { OutgoingRequest } from './outgoing-request.ts'
import { tlsSettings } from './tls-settings.ts'
import { tryParseObject } from './token-answer.ts'

/** Public keys that destinations name for user tokens. */
export interface KeySets {
  /**
   * Keys that fit. Those of an address are fetched, remembered for a while, and fetched again when none fits, though not at once.
   *
   * @throws ConnectivityError `DESTINATION_INVALID` for a property that holds no key set, or what fetching throws.
   */
  find(request: Pick<AuthenticationRequest, 'configuration' | 'references' | 'level'>, fits: (key: JWK) => boolean): Promise<readonly JWK[]>
}

interface Fetched {
  readonly atMs: number
  readonly keys: Promise<readonly JWK[]>
}

/** Makes an empty memory of key sets. */
export function createKeySets(deps: {
  readonly outgoing: Outgoing
  readonly readKeystore: KeystoreReader
  readonly clock: Clock
  /** Fetching counts as a token call does: a destination decides where to, and how long it takes. */
  readonly limit: CallLimit
  readonly closing: AbortSignal
}): KeySets {
  const { outgoing, clock, limit, closing } = deps
  const fetched = new Map<string, Fetched>()

  async function fetchNow(subaccountId: string, request: OutgoingRequest): Promise<readonly JWK[]> {
    const answer = await limit.run(subaccountId, () => outgoing.send(request, closing))
    const keys = answer.status === 200 ? readKeys(answer.body) : undefined
    if (keys !== undefined) return keys
    throw new ConnectivityError('PROTOCOL_VIOLATION', 'The address of the property x_user_token.jwks_uri does not answer with a key set')
  }

  function fetchOnce(subaccountId: string, name: string, request: OutgoingRequest): Promise<readonly JWK[]> {
    const keys = fetchNow(subaccountId, request)
    fetched.delete(name)
    fetched.set(name, { atMs: clock.now(), keys })
    for (const oldest of fetched.keys()) {
      if (fetched.size <= maxCachedKeySets) break
      fetched.delete(oldest)
    }
    keys.catch(() => {
      if (fetched.get(name)?.keys === keys) fetched.delete(name)
    })
    return keys
  }

  return {
    async find(request, fits) {
      const inline = request.configuration['x_user_token.jwks']
      if (inline) return inlineKeys(inline).filter(fits)
      const call = await keySetRequest(request, deps.readKeystore)
      const { subaccountId } = request.level
      const name = JSON.stringify([subaccountId, call])
      const known = fetched.get(name)
      if (known === undefined || clock.now() - known.atMs >= keySetMaxAgeMs) return (await fetchOnce(subaccountId, name, call)).filter(fits)
      const found = (await known.keys).filter(fits)
      if (found.length > 0 || clock.now() - known.atMs < keySetMinRefreshMs) return found
      // Keys are exchanged now and then, and tokens of a new one come before we look again by ourselves.
      return (await fetchOnce(subaccountId, name, call)).filter(fits)
    },
  }
}

/** Never with TrustAll: who hands out these keys decides who somebody is. */
async function keySetRequest(
  { configuration, references }: Pick<AuthenticationRequest, 'configuration' | 'references'>,
  readKeystore: KeystoreReader,
): Promise<OutgoingRequest> {
  const url = URL.parse(configuration['x_user_token.jwks_uri'] ?? '')
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw new ConnectivityError('DESTINATION_INVALID', 'The property x_user_token.jwks_uri is not an http or https URL without credentials')
  }
  const tls = await tlsSettings({ references, readKeystore, configuration: { ...configuration, TrustAll: 'false' } }, undefined)
  return {
    method: 'GET',
    origin: url.origin,
    path: url.pathname + url.search,
    headers: { accept: 'application/json' },
    route: { kind: 'internet' },
    tls,
    connectTimeoutMs: keySetTimeoutMs,
    readTimeoutMs: keySetTimeoutMs,
  }
}

function inlineKeys(base64: string): readonly JWK[] {
  const keys = readKeys(Buffer.from(base64, 'base64').toString('utf8'))
  if (keys !== undefined) return keys
  throw new ConnectivityError('DESTINATION_INVALID', 'The property x_user_token.jwks is not a Base64-encoded JWK Set')
}

function readKeys(text: string): readonly JWK[] | undefined {
  const keys = text.length > maxKeySetCharacters ? undefined : tryParseObject(text)?.['keys']
  return Array.isArray(keys) ? keys.filter(isUsable).slice(0, maxKeysOfSet) : undefined
}

/** Huge moduli would make each verification slow. */
function isUsable(key: unknown): key is JWK {
  if (typeof key !== 'object' || key === null) return false
  const { kty, n, e } = key as { readonly [member: string]: unknown }
  if (kty === 'RSA') return typeof n === 'string' && n.length <= maxModulusCharacters && typeof e === 'string' && e.length <= 6
  return kty === 'EC' || kty === 'OKP'
}
