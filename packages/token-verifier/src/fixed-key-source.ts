import { addIssuer } from './issuers.ts'
import { createKeySet, type KeySet } from './key-set.ts'
import type { IssuerKeys, KeySource } from './types.ts'

/** A key source whose content its owner exchanges. */
export interface FixedKeySource extends KeySource {
  /** Replaces issuers and keys; what was verified before is void unless nothing has changed. */
  replace(issuers: readonly IssuerKeys[]): void
}

/**
 * Keys that somebody else hands over, such as a synchronised trust list or the token service in the same process.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID`, also from `replace`, when an issuer is there twice or has an empty name.
 */
export function createFixedKeySource(issuers: readonly IssuerKeys[]): FixedKeySource {
  let sets = readIssuers(issuers)
  let revision = 1
  return {
    find: async (issuer, keyId, algorithm) => sets.get(issuer)?.find(keyId, algorithm),
    get revision() {
      return revision
    },
    replace(replacement) {
      const replaced = readIssuers(replacement)
      if (sameSets(sets, replaced)) return
      sets = replaced
      revision++
    },
  }
}

function readIssuers(issuers: readonly IssuerKeys[]): Map<string, KeySet> {
  const sets = new Map<string, KeySet>()
  for (const { issuer, keys } of issuers) addIssuer(sets, issuer, createKeySet(keys))
  return sets
}

function sameSets(a: ReadonlyMap<string, KeySet>, b: ReadonlyMap<string, KeySet>): boolean {
  return a.size === b.size && [...a].every(([issuer, set]) => b.get(issuer)?.fingerprint === set.fingerprint)
}
