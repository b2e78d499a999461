import { ConnectivityError } from '@sallyport/core'
import { z } from 'zod'
import { isOlder } from '../backup/product-version.ts'
import { type AdministeredDocument, administeredDocumentSchema, documentFormat } from './administered-document.ts'

/** What a stored or transferred document says about itself. Those that were written before there were releases say nothing. */
const origin = z.object({ version: z.int().min(1).default(1), writtenBy: z.string().max(50).optional() })

/** A document as it is stored and given to the other instance of a pair: with the version of the product that wrote it. */
export function writeDocument(document: AdministeredDocument, version: string): unknown {
  return { ...document, writtenBy: version }
}

/**
 * Reads what this version of the product, or an older one, has written; what it did not know yet has its default.
 *
 * @throws ConnectivityError `STORE_FAILED` for what a newer minor version wrote, because this one would lose or misread what it does not know; and for what is no document.
 */
export function readDocument(stored: unknown, version: string): AdministeredDocument {
  const from = origin.safeParse(stored)
  if (from.success) refuseNewer(from.data, version)
  const { writtenBy: _writtenBy, ...document } = (stored ?? {}) as { readonly writtenBy?: unknown }
  const read = administeredDocumentSchema.safeParse(document)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new ConnectivityError(
    'STORE_FAILED',
    `the stored configuration of the connector cannot be used: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}; restore a backup`,
  )
}

function refuseNewer(from: z.output<typeof origin>, version: string): void {
  const { version: format, writtenBy } = from
  const isNewer = writtenBy !== undefined && isOlder(releaseOf(version), releaseOf(writtenBy))
  if (!isNewer && format <= documentFormat) return
  throw new ConnectivityError(
    'STORE_FAILED',
    `the configuration of the connector was written by the newer version ${writtenBy ?? 'unknown'} in format ${format}; this one is ${version} and reads format ${documentFormat}. Use that version or a later one, or begin with an empty data folder and restore a backup that this version has made`,
  )
}

/** Major and minor version: micro versions write the same. */
function releaseOf(version: string): string {
  return version.split('.').slice(0, 2).join('.')
}
