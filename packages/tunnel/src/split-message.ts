import { ConnectivityError, maxStreamMessageBytes } from '@sallyport/core'
import type { ExposedSystem, TrustedIssuer } from './messages.ts'

/** Room for everything in such a message besides its list. */
const envelopeBytes = 2_048

/**
 * Parts of a list, each small enough for one message; at least one part, so that an empty list can be said too.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` when a single member is too large.
 */
export function splitForMessages<T>(members: readonly T[]): readonly (readonly T[])[] {
  const parts: T[][] = [[]]
  let used = 0
  for (const member of members) {
    const bytes = Buffer.byteLength(JSON.stringify(member)) + 1
    if (bytes > maxStreamMessageBytes - envelopeBytes) {
      throw new ConnectivityError('MESSAGE_INVALID', `an entry of ${bytes} bytes does not fit into a message of the tunnel`)
    }
    if (used + bytes > maxStreamMessageBytes - envelopeBytes) {
      parts.push([])
      used = 0
    }
    parts.at(-1)?.push(member)
    used += bytes
  }
  return parts
}

/** What a JSON Web Key needs for verifying signatures, RFC 7517 and 7518; certificates and comments stay behind. */
const keyMembers = ['kty', 'kid', 'alg', 'use', 'n', 'e', 'crv', 'x', 'y']

/** The messages that announce the issuers. An issuer with many keys appears once per key: {@link mergeIssuers} puts it together. */
export function trustMessages(issuers: readonly TrustedIssuer[]): readonly Buffer[] {
  const single = issuers.flatMap((issuer) =>
    issuer.keys.length === 0
      ? [issuer]
      : issuer.keys.map((key) => ({
          issuer: issuer.issuer,
          name: issuer.name,
          type: issuer.type,
          keys: [Object.fromEntries(Object.entries(key).filter(([member]) => keyMembers.includes(member)))],
        })),
  )
  return messagesOf(splitForMessages(single), (part) => ({ kind: 'trust', issuers: mergeIssuers(part) }))
}

/** The messages that say what a connector exposes. */
export function exposedMessages(digest: string, systems: readonly ExposedSystem[]): readonly Buffer[] {
  return messagesOf(splitForMessages(systems), (part) => ({ kind: 'exposed', digest, systems: part }))
}

/** One entry per issuer, with the keys of all its entries in order. */
export function mergeIssuers(entries: readonly TrustedIssuer[]): readonly TrustedIssuer[] {
  const merged = new Map<string, TrustedIssuer>()
  for (const entry of entries) {
    const known = merged.get(entry.issuer)
    merged.set(entry.issuer, known === undefined ? entry : { ...known, keys: [...known.keys, ...entry.keys] })
  }
  return [...merged.values()]
}

function messagesOf<T>(parts: readonly T[], message: (part: T) => object): readonly Buffer[] {
  return parts.map((part, index) => Buffer.from(JSON.stringify({ ...message(part), ...(index < parts.length - 1 ? { more: true } : {}) })))
}
