import { ConnectivityError } from '@sallyport/core'
import { createFixedKeySource, type KeySource } from '@sallyport/token-verifier'
import { isTrustedByDefault } from './defaults.ts'
import { maxDisplayCharacters, maxIssuerCharacters, maxTrustedIssuers, maxTrustedKeys } from './limits.ts'

type Jwk = Readonly<Record<string, unknown>>

/** An issuer as the cloud side reports it. */
export interface SynchronisedIssuer {
  readonly issuer: string
  readonly name: string
  readonly description?: string
  readonly type: 'OAUTH2' | 'OIDC'
  /** JSON Web Key Set, public keys. */
  readonly keys: readonly Jwk[]
}

/** One line of the trust list. */
export interface TrustEntry {
  /** Stays the same while the issuer stays in the list. */
  readonly id: number
  readonly issuer: string
  readonly name: string
  readonly description: string
  readonly type: 'OAUTH2' | 'OIDC'
  readonly trusted: boolean
  /** Public members only. */
  readonly keys: readonly Jwk[]
}

/** Issuers that a synchronisation added, removed or changed, for the audit log. */
export interface TrustChanges {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

/** The issuers whose tokens a connector accepts for principals. */
export interface TrustList {
  /** Frozen; a new array after each change. Plain data: whoever keeps it hands it back to {@link createTrustList}. */
  readonly entries: readonly TrustEntry[]
  /** Keys of the entries that are trusted right now. */
  readonly keys: KeySource
  /**
   * Takes over what the cloud side reports: flags of known issuers stay, issuers that are gone are removed, new ones get the default flag.
   *
   * @throws ConnectivityError `MESSAGE_INVALID` for a list that is not one; the list is unchanged then.
   */
  synchronise(issuers: readonly SynchronisedIssuer[]): TrustChanges
  /** Takes effect with the next token. @throws ConnectivityError `NOT_FOUND`. */
  setTrusted(id: number, trusted: boolean): void
}

/**
 * The trust list of one subaccount; empty at first, so that no token is accepted before a synchronisation.
 *
 * `isTrusted` decides about the flag of issuers that are new in the list.
 */
export function createTrustList(
  options: { readonly entries?: readonly TrustEntry[]; readonly isTrusted?: (issuer: SynchronisedIssuer) => boolean } = {},
): TrustList {
  const { isTrusted = isTrustedByDefault } = options
  checkIssuers(options.entries ?? [])
  let entries: readonly TrustEntry[] = Object.freeze(
    (options.entries ?? []).map((entry) => Object.freeze({ ...entry, keys: entry.keys.map(publicPart) })),
  )
  let nextId = entries.reduce((highest, entry) => Math.max(highest, entry.id), 0) + 1
  const trustedOnes = (): readonly TrustEntry[] => entries.filter((entry) => entry.trusted)
  const keys = createFixedKeySource(trustedOnes())

  const replace = (replacement: readonly TrustEntry[]): void => {
    entries = Object.freeze(replacement.map((entry) => Object.freeze(entry)))
    keys.replace(trustedOnes())
  }

  return {
    get entries() {
      return entries
    },
    keys,
    synchronise(issuers) {
      checkIssuers(issuers)
      const known = new Map(entries.map((entry) => [entry.issuer, entry]))
      const replacement = issuers.map((reported): TrustEntry => {
        const { issuer, name, description = '', type } = reported
        const before = known.get(issuer)
        return {
          id: before?.id ?? nextId++,
          issuer,
          name,
          description,
          type,
          trusted: before?.trusted ?? isTrusted(reported),
          keys: reported.keys.map(publicPart),
        }
      })
      const reported = new Set(issuers.map(({ issuer }) => issuer))
      const changes: TrustChanges = {
        added: replacement.filter(({ issuer }) => !known.has(issuer)).map(({ issuer }) => issuer),
        removed: entries.filter(({ issuer }) => !reported.has(issuer)).map(({ issuer }) => issuer),
        changed: replacement.filter((entry) => isChanged(known.get(entry.issuer), entry)).map(({ issuer }) => issuer),
      }
      replace(replacement)
      return changes
    },
    setTrusted(id, trusted) {
      if (!entries.some((entry) => entry.id === id)) throw new ConnectivityError('NOT_FOUND', `the trust list has no entry ${id}`)
      replace(entries.map((entry) => (entry.id === id ? { ...entry, trusted } : entry)))
    },
  }
}

function isChanged(before: TrustEntry | undefined, after: TrustEntry): boolean {
  return before !== undefined && JSON.stringify(before) !== JSON.stringify(after)
}

const publicMembers = ['kty', 'kid', 'use', 'alg', 'key_ops', 'n', 'e', 'crv', 'x', 'y'] as const

/** A private key that comes along by mistake is not kept. */
function publicPart(key: Jwk): Jwk {
  return Object.freeze(
    Object.fromEntries(publicMembers.filter((member) => Object.hasOwn(key, member)).map((member) => [member, key[member]])),
  )
}

/** Checks at run time what the types promise: the list comes from another process. */
function checkIssuers(issuers: readonly SynchronisedIssuer[]): void {
  const refuse = (problem: string): never => {
    throw new ConnectivityError('MESSAGE_INVALID', `the trust configuration ${problem}`)
  }
  if (!Array.isArray(issuers)) return refuse('is not a list of issuers')
  if (issuers.length > maxTrustedIssuers) refuse(`has more than ${maxTrustedIssuers} issuers`)
  const seen = new Set<string>()
  for (const entry of issuers as readonly Readonly<Record<keyof SynchronisedIssuer, unknown>>[]) {
    if (typeof entry !== 'object' || entry === null) return refuse('has an entry that is not an object')
    const { issuer, name, description = '', type, keys } = entry
    if (typeof issuer !== 'string' || issuer === '' || issuer.length > maxIssuerCharacters)
      return refuse('has an entry without a usable issuer')
    if (seen.has(issuer)) refuse(`names the issuer ${issuer} twice`)
    seen.add(issuer)
    if (!isDisplayText(name) || !isDisplayText(description)) refuse(`has no usable name or description for ${issuer}`)
    if (type !== 'OAUTH2' && type !== 'OIDC') refuse(`has an unknown type for ${issuer}`)
    if (!Array.isArray(keys) || keys.length > maxTrustedKeys || keys.some((key) => typeof key !== 'object' || key === null)) {
      refuse(`has no usable keys for ${issuer}`)
    }
  }
}

function isDisplayText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= maxDisplayCharacters
}
