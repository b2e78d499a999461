import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { ConnectivityError } from '@sallyport/core'
import type { SealKeys } from '@sallyport/store'
import { resolveText } from '../configuration/configuration.ts'
import type { DataFolder } from './data-folder.ts'
import type { PartContext } from './part.ts'

/** Keys that the data folder holds once the first has been replaced: Base64, one per line, newest first. */
const ringFile = ['cloud', 'sealing.keys'] as const

/**
 * What seals the databases of the cloud side: the key of the configuration, or else one that the data folder holds. Keys from files are read again when they
 * have changed, so that a change needs no restart.
 */
export function masterKeys({ configuration, folder }: Pick<PartContext, 'configuration' | 'folder'>): () => SealKeys {
  const { sealingKey, previousSealingKeys } = configuration.storage
  if (sealingKey !== undefined) {
    const read = (reference: typeof sealingKey): Buffer =>
      parseKey(resolveText(reference, configuration, process.env), 'storage.sealingKey')
    // A key of the configuration may take the place of those of the folder.
    return () => ({ current: read(sealingKey), previous: [...previousSealingKeys.map(read), ...ownKeys(folder)] })
  }
  let known: { readonly stamp: number; readonly keys: SealKeys } | undefined
  return () => {
    const path = folder.file(...ringFile)
    const stamp = existsSync(path) ? statSync(path).mtimeMs : 0
    if (known?.stamp !== stamp) {
      const [current = folder.sealKey(), ...previous] = ownKeys(folder)
      known = { stamp, keys: { current, previous } }
    }
    return known.keys
  }
}

/** As {@link masterKeys}, for who only looks: nothing is made. `undefined` when there is no key yet. */
export function existingMasterKeys(context: Pick<PartContext, 'configuration' | 'folder'>): SealKeys | undefined {
  if (context.configuration.storage.sealingKey !== undefined) return masterKeys(context)()
  const [current, ...previous] = ownKeys(context.folder)
  return current === undefined ? undefined : { current, previous }
}

/** Makes a new key for a data folder that holds its own; the others stay, since backups may need them. @returns `false` when the configuration has the key. */
export function renewMasterKey({ configuration, folder }: Pick<PartContext, 'configuration' | 'folder'>): boolean {
  if (configuration.storage.sealingKey !== undefined) return false
  const keys = [randomBytes(32), ...ringKeys(folder)]
  folder.write(ringFile, keys.map((key) => `${key.toString('base64')}\n`).join(''))
  return true
}

/** What the data folder holds, newest first; the oldest is the one that the machine keeps for other uses as well. */
function ownKeys(folder: DataFolder): readonly Buffer[] {
  return [...ringKeys(folder), ...(folder.read('seal.key') === undefined ? [] : [folder.sealKey()])]
}

function ringKeys(folder: DataFolder): readonly Buffer[] {
  const lines = (folder.read(...ringFile) ?? '').split('\n').filter((line) => line !== '')
  return lines.map((line) => parseKey(line, ringFile.join('/')))
}

function parseKey(text: string, where: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length === 32) return key
  throw new ConnectivityError('CONFIGURATION_INVALID', `${where} has to be the Base64 of 32 bytes`, {
    details: { next: 'make one with: openssl rand -base64 32' },
  })
}
