import type { ConnectorIdentity } from '@sallyport/cloud-connector'
import { administeredSubaccountSchema } from './administered-subaccount.ts'
import type { ConfigurationEditor } from './configuration-editor.ts'
import { regionHostOf } from './region-host.ts'

/**
 * Adds the subaccounts that have been paired on the command line and that the document does not have yet, exposing nothing. Whoever removes a subaccount removes
 * its identity first, or it is adopted again.
 */
export async function adoptIdentities(editor: ConfigurationEditor, identities: readonly ConnectorIdentity[]): Promise<void> {
  await editor.change('pairing', (document) => {
    const adopted = identities.filter(
      ({ locationId, subaccount }) =>
        !document.subaccounts.some((known) => known.subaccount === subaccount && known.locationId === locationId),
    )
    if (adopted.length === 0) return document
    const added = adopted.map(({ description, locationId, subaccount, tunnelEndpoint }) =>
      administeredSubaccountSchema.parse({
        regionHost: regionHostOf(tunnelEndpoint),
        subaccount,
        locationId,
        description,
        displayName: subaccount,
        autoCertRenewal: true,
      }),
    )
    return { ...document, subaccounts: [...document.subaccounts, ...added] }
  })
}
