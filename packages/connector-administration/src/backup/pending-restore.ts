import type { MaterialStore } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { accessMaterialName } from '../access/access-editor.ts'
import { readMaterial, replaceMaterial } from '../document/configured-material.ts'
import { documentMaterialName } from '../document/document-store.ts'
import type { BackupContent } from './backup-file.ts'

/** What is kept until the next start. */
const pendingName = 'pending restore'

/** Everything that a backup keeps besides the document: what belongs to subaccounts, and the users. */
export async function readBackupMaterial(material: MaterialStore): Promise<Readonly<Record<string, string>>> {
  return await readMaterial(material, [accessMaterialName])
}

/** Keeps a backup for the next start: only then nothing of the old configuration is in use. */
export async function keepForNextStart(material: MaterialStore, { document, material: others }: BackupContent): Promise<void> {
  await material.save(pendingName, JSON.stringify({ document, material: others }))
}

/**
 * For changes of what a stopped connector has kept: a backup that waits would undo them.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` while one waits.
 */
export async function requireNoPendingRestore(material: MaterialStore): Promise<void> {
  if ((await material.load(pendingName)) === undefined) return
  throw new ConnectivityError('CONFIGURATION_INVALID', 'a restored backup waits for the next start, which would undo this change', {
    details: { next: 'start the connector once and stop it, then this command again' },
  })
}

/**
 * Puts a kept backup in the place of everything there is, as its latest revision: a shadow that has what was there before must not take it for what it has already. Called before anything is read; a process that is killed meanwhile does it again at its next start.
 * Returns whether there was one.
 */
export async function applyPendingRestore(material: MaterialStore): Promise<boolean> {
  const text = await material.load(pendingName)
  if (text === undefined) return false
  const { document, material: others } = JSON.parse(text) as BackupContent
  const replaced = await revisionOf(material)
  await replaceMaterial(material, others, [accessMaterialName])
  await material.save(documentMaterialName, JSON.stringify({ ...document, revision: Math.max(replaced, document.revision) + 1 }))
  await material.remove(pendingName)
  return true
}

/** Of the document that is there, as far as it can be read. */
async function revisionOf(material: MaterialStore): Promise<number> {
  try {
    const { revision } = JSON.parse((await material.load(documentMaterialName)) ?? '{}') as { readonly revision?: unknown }
    return typeof revision === 'number' ? revision : 0
  } catch {
    // What cannot be read is a reason to restore something else, not one against it.
    return 0
  }
}
