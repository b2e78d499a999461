import { type ConnectorIdentity, type MaterialStore, removeIdentity } from '@sallyport/cloud-connector'
import type { DocumentStore } from './document-store.ts'

/**
 * Ends changes of location IDs that a kill has interrupted: an identity that no subaccount has, and whose certificate one of a subaccount has as well, is the copy
 * that nobody needs. Returns the others. For the start, before there are tunnels and before `adoptIdentities`, which would make a second subaccount of it.
 */
export async function removeAbandonedIdentities(
  { material, store }: { readonly material: MaterialStore; readonly store: DocumentStore },
  identities: readonly ConnectorIdentity[],
): Promise<readonly ConnectorIdentity[]> {
  const document = await store.load()
  const isConfigured = (identity: ConnectorIdentity): boolean =>
    document.subaccounts.some(({ locationId, subaccount }) => subaccount === identity.subaccount && locationId === identity.locationId)
  const configured = new Set(identities.filter(isConfigured).map(({ certificate }) => certificate))
  const abandoned = identities.filter((identity) => !isConfigured(identity) && configured.has(identity.certificate))
  for (const identity of abandoned) await removeIdentity(material, identity)
  return identities.filter((identity) => !abandoned.includes(identity))
}
