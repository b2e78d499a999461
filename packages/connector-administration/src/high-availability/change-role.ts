import type { MaterialStore } from '@sallyport/cloud-connector'
import { createDocumentStore } from '../document/document-store.ts'
import { openHaSettings } from './ha-settings.ts'

/**
 * Gives an installation that does not run a role, for a pair that has lost its master. It may have changed meanwhile elsewhere, so a new master counts as the
 * latest.
 */
export async function changeRole(material: MaterialStore, role: 'master' | 'shadow', version: string): Promise<void> {
  const store = createDocumentStore(material, version)
  const document = await store.load()
  const settings = await openHaSettings(material)
  if (role === 'master') await settings.save({ ...settings.current, term: settings.current.term + 1 })
  await store.save({ ...document, connector: { ...document.connector, haRole: role } })
}
