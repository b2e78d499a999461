import { rmSync } from 'node:fs'
import { ConnectivityError } from '@sallyport/core'
import type { DataFolder } from './data-folder.ts'

const marker = 'ephemeral'

/** Takes an empty folder, or what an earlier ephemeral run left, as one whose content may be thrown away. Never touches lasting data. */
export function claimEphemeral(folder: DataFolder): void {
  const claimed = folder.read(marker) !== undefined
  const entries = folder.list().filter((name) => name !== 'log')
  if (!claimed && entries.length > 0) {
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `${folder.path} holds the data of a lasting stack, which --ephemeral would throw away`,
      {
        details: { next: 'name another folder: --data /path/to/folder' },
      },
    )
  }
  if (claimed) emptyEphemeral(folder)
  folder.write([marker], 'The content of this folder belongs to "sallyport dev --ephemeral" and is removed when it ends.\n')
}

/** Removes everything but the logs of an ephemeral run. */
export function emptyEphemeral(folder: DataFolder): void {
  if (folder.read(marker) === undefined) return
  for (const name of folder.list()) if (name !== 'log' && name !== marker) rmSync(folder.file(name), { recursive: true, force: true })
  folder.remove(marker)
}
