import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** Whether contents may be traced; if not, why. */
export type TrafficPermission = { readonly allowed: true } | { readonly allowed: false; readonly reason: string }

const maxFileBytes = 4096

/**
 * Asks the file that a second person keeps: cloud-connector.md §7.5. Without the file everybody may. With it, its line `allowed=true` permits, if nobody but
 * its owner can write it and its owner is not the one who runs the connector; everything else forbids.
 */
export async function readTrafficPermission(
  path: string,
  runner: { readonly uid: number; readonly gid: number } | undefined,
): Promise<TrafficPermission> {
  let file
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? { allowed: true } : forbid(path, `cannot be read (${code})`)
  }
  try {
    const { gid, mode, size, uid } = await file.stat()
    const isFile = (mode & constants.S_IFMT) === constants.S_IFREG
    if (!isFile || size > maxFileBytes) return forbid(path, 'is not a small file')
    // Systems without owners have nobody to be the second pair of eyes.
    if (runner === undefined) return forbid(path, 'has no owner on this system')
    if (uid === runner.uid) return forbid(path, 'belongs to the user who runs the connector')
    if (gid === runner.gid) return forbid(path, 'belongs to the group that runs the connector')
    if ((mode & (constants.S_IWGRP | constants.S_IWOTH)) !== 0) return forbid(path, 'can be written by others than its owner')
    const lines = (await file.readFile('utf8')).split(/\r?\n/).map((line) => line.trim())
    const said = lines.filter((line) => line.startsWith('allowed='))
    return said.length === 1 && said[0] === 'allowed=true' ? { allowed: true } : forbid(path, 'does not say allowed=true')
  } finally {
    await file.close()
  }
}

function forbid(path: string, reason: string): TrafficPermission {
  return { allowed: false, reason: `contents may not be traced: ${path} ${reason}` }
}
