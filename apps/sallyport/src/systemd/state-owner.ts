import { realpathSync, statSync } from 'node:fs'
import { relative } from 'node:path'
import { ConnectivityError } from '@sallyport/core'
import { type DataFolder, openDataFolder } from '../stack/data-folder.ts'

/** Where systemd keeps the folders of services with users of their own; root alone gets through it. */
const privateFolders = '/var/lib/private'

/** The service whose folder this is, as root sees it; `undefined` for everybody else, the service itself too, and for other folders. */
export function serviceOf(folder: Pick<DataFolder, 'path'>, services: string = privateFolders): string | undefined {
  if (process.getuid?.() !== 0) return undefined
  try {
    const name = relative(realpathSync(services), realpathSync(folder.path))
    return /^[a-z][\w-]*$/.test(name) ? name : undefined
  } catch {
    // One of them is not there.
    return undefined
  }
}

/**
 * The same folder, changed from now on by the user that it belongs to: what root writes there, a service with a user of its own could not read, and it would not
 * start again. A process of root becomes that user for good, so that what only root can read has to be read before, and goes to the folder, which that user might
 * not get to by its path. Everybody else, and root in a folder of its own or one that is still to be made, stays.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` where this process may not become that user.
 */
export function openAsOwner(folder: DataFolder): DataFolder {
  const { getuid, setgid, setgroups, setuid } = process
  if (getuid?.() !== 0 || setgid === undefined || setgroups === undefined || setuid === undefined) return folder
  if (statSync(folder.path, { throwIfNoEntry: false }) === undefined) return folder
  process.chdir(folder.path)
  const { gid, uid } = statSync('.')
  if (uid === 0) return folder
  try {
    setgroups([])
    setgid(gid)
    setuid(uid)
  } catch (cause) {
    throw new ConnectivityError('CONFIGURATION_INVALID', `${folder.path} belongs to the user ${uid}, whom this process cannot become`, {
      cause,
      details: { next: 'run this as that user' },
    })
  }
  return openDataFolder('.')
}
