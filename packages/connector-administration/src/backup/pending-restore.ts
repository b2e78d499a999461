import type { MaterialStore } from '@sallyport/cloud-connector'
import { haMaterialName } from '../high-availability/ha-settings.ts'
import type { BackupContent } from './backup-file.ts'

/** What is kept until the next start, and what is no part of backups. */
const pendingName = 'pending restore'
const documentName = 'administration'

/** Everything that a backup keeps besides the document, without what is named. */
export async function readMaterial(
  material: MaterialStore,
  without: readonly string[] = [haMaterialName],
): Promise<Readonly<Record<string, string>>> {
  const names = (await material.names()).filter((name) => name !== pendingName && name !== documentName && !without.includes(name))
  const texts = await Promise.all(names.map(async (name) => [name, await material.load(name)] as const))
  return Object.fromEntries(texts.filter((entry): entry is readonly [string, string] => entry[1] !== undefined))
}

/** Keeps a backup for the next start: only then nothing of the old configuration is in use. */
export async function keepForNextStart(material: MaterialStore, { document, material: others }: BackupContent): Promise<void> {
  await material.save(pendingName, JSON.stringify({ document, material: others }))
}

/**
 * Puts a kept backup in the place of everything there is. Called before anything is read; a process that is killed meanwhile does it again at its next start.
 * Returns whether there was one.
 */
export async function applyPendingRestore(material: MaterialStore): Promise<boolean> {
  const text = await material.load(pendingName)
  if (text === undefined) return false
  const { document, material: others } = JSON.parse(text) as BackupContent
  for (const [name, content] of Object.entries({ ...others, [documentName]: JSON.stringify(document) })) await material.save(name, content)
  for (const name of await material.names()) {
    if (name !== pendingName && name !== documentName && name !== haMaterialName && !Object.hasOwn(others, name))
      await material.remove(name)
  }
  await material.remove(pendingName)
  return true
}
