import { ConnectivityError } from '@sallyport/core'
import type { DataFolder } from '../stack/data-folder.ts'

/**
 * For commands that change what a stopped connector has kept: a mistyped folder must not become a new installation.
 *
 * @throws ConnectivityError `NOT_FOUND` where no connector has ever started or been paired.
 */
export function requireConnector(folder: DataFolder): void {
  if (folder.read('connector', 'id') !== undefined) return
  throw new ConnectivityError('NOT_FOUND', `there is no connector in ${folder.path}`, {
    details: { next: 'name its data folder with --data; that of a service is /var/lib/<name of the service>' },
  })
}
