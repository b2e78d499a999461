import { z } from 'zod'
import { type AdministeredDocument, administeredDocumentSchema } from '../document/administered-document.ts'
import { maxBackupScryptCost } from '../limits.ts'
import { invalidRequest } from '../rest/rest-error.ts'
import { isOlder } from './product-version.ts'
import { openWithPassword, sealWithPassword } from './password-seal.ts'
import { readZip, writeZip } from './zip-file.ts'

/** What a backup holds. */
export interface BackupContent {
  readonly document: AdministeredDocument
  /** Everything else that the connector keeps sealed: identities, trust lists, generated keys. */
  readonly material: Readonly<Record<string, string>>
  /** Start options of the process, as the file `props.ini` has them. */
  readonly startOptions?: string | undefined
}

const manifestName = 'backup.json'
const contentName = 'configuration.sealed'
const startOptionsName = 'props.ini'

const manifestSchema = z.strictObject({
  format: z.literal(1),
  productVersion: z.string().max(50),
  createdAt: z.string().max(50),
  lock: z.strictObject({ salt: z.string().min(16).max(100), cost: z.int().min(10).max(maxBackupScryptCost) }),
})

const contentSchema = z.strictObject({ document: administeredDocumentSchema, material: z.record(z.string().max(500), z.string()) })

/**
 * A ZIP archive that opens without a password and shows when and by which version it was made; the configuration in it, with all its secrets, does not open
 * without (cloud-connector.md §9.1).
 */
export async function writeBackup(
  { document, material, startOptions }: BackupContent,
  options: { readonly password: string; readonly productVersion: string; readonly nowMs: number },
): Promise<Buffer> {
  const { nowMs, password, productVersion } = options
  const { context, sealed } = await sealWithPassword(Buffer.from(JSON.stringify({ document, material })), password, (lock) =>
    JSON.stringify({ format: 1, productVersion, createdAt: new Date(nowMs).toISOString(), lock }),
  )
  return writeZip(
    { [manifestName]: context, [contentName]: sealed, ...(startOptions === undefined ? {} : { [startOptionsName]: startOptions }) },
    nowMs,
  )
}

/** Reads a backup of this version or an older one. @throws RestError 400 for a wrong password, a newer version, and for what is no backup or was changed. */
export async function readBackup(
  archive: Uint8Array,
  options: { readonly password: string; readonly productVersion: string },
): Promise<BackupContent> {
  const files = readZip(archive)
  const context = files.get(manifestName)?.toString('utf8') ?? ''
  const manifest = manifestSchema.safeParse(parseJson(context))
  const sealed = files.get(contentName)
  if (!manifest.success || sealed === undefined) throw invalidRequest('the archive is no backup of a cloud connector')
  const { lock, productVersion } = manifest.data
  if (isOlder(options.productVersion, productVersion))
    throw invalidRequest(
      `the backup was made by version ${productVersion}; this one is ${options.productVersion}, and a backup restores into the same version or a newer one`,
    )
  const opened = await openWithPassword(sealed, options.password, lock, context)
  if (opened === undefined) throw invalidRequest('the password is wrong, or the archive was changed')
  const content = contentSchema.safeParse(parseJson(opened.toString('utf8')))
  if (!content.success) throw invalidRequest('the backup holds a configuration that this version cannot read')
  return { ...content.data, startOptions: files.get(startOptionsName)?.toString('utf8') }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Said by the checks, as anything else that is none.
    return undefined
  }
}
