import { type ConnectorIdentity, materialName } from './connector-identity.ts'
import type { MaterialStore } from './material-store.ts'

/** Kinds of material that are of no use without the identity or the configuration of their subaccount. */
const kinds = ['trust', 'usage', 'system', 'principal-ca'] as const

/**
 * Removes what is kept for subaccounts and locations that there are none of any more: neither configured nor paired. Identities stay, because one that is not
 * configured yet may be about to be. One file at a time goes, so that a kill in between leaves the rest for the next time. Returns how many have gone.
 */
export async function removeUnusedMaterial(
  store: MaterialStore,
  configured: readonly Pick<ConnectorIdentity, 'subaccount' | 'locationId'>[],
): Promise<number> {
  const names = await store.names()
  const paired = names.filter((name) => name.startsWith('identity ')).map((name) => name.slice('identity '.length))
  const kept = new Set([
    ...kinds.flatMap((kind) => configured.map((holder) => materialName(kind, holder))),
    ...kinds.flatMap((kind) => paired.map((holder) => `${kind} ${holder}`)),
  ])
  const unused = names.filter((name) => kinds.some((kind) => name.startsWith(`${kind} `)) && !kept.has(name))
  for (const name of unused) await store.remove(name)
  return unused.length
}
