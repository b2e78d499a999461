import { X509Certificate } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import { isPasswordRefused, kindOfName, readKeystore, tryReadFormat } from '@sallyport/keystore'
import { formatRecord } from './certificate-record.ts'

/** What is kept beside an uploaded file, or why it is not taken. */
export type UploadVerdict =
  | { readonly valid: true; readonly hidden: Readonly<Record<string, string>> }
  | { readonly valid: false; readonly problem: string }

/**
 * Looks into a file as far as its extension allows. Certificates have to be readable, their private keys may be locked; of key stores, whose password is not
 * known here, the first bytes have to fit. Whether anything has expired does not matter.
 */
export async function checkUpload(name: string, content: Buffer): Promise<UploadVerdict> {
  if (kindOfName(name) === 'keystore') {
    if (tryReadFormat({ name, content }) === undefined)
      return { valid: false, problem: 'The content is neither PKCS #12 nor a Java key store' }
    return { valid: true, hidden: formatRecord({ expiresAtMs: await tryReadEnd(name, content), generated: undefined }) }
  }
  try {
    const { entries } = await readKeystore({ name, content })
    if (entries.length === 0) return { valid: false, problem: 'The content holds no certificate' }
    return { valid: true, hidden: formatRecord({ expiresAtMs: firstEnd(entries), generated: undefined }) }
  } catch (error) {
    if (!ConnectivityError.is(error, 'MESSAGE_INVALID')) throw error
    return { valid: false, problem: `The content cannot be used: ${error.message}` }
  }
}

/** Without its password only some key stores tell. */
async function tryReadEnd(name: string, content: Buffer): Promise<number | undefined> {
  try {
    return firstEnd((await readKeystore({ name, content, effort: 'brief' })).entries)
  } catch (error) {
    if (isPasswordRefused(error) || ConnectivityError.is(error, 'MESSAGE_INVALID')) return undefined
    throw error
  }
}

function firstEnd(entries: readonly { readonly certificates: readonly string[] }[]): number | undefined {
  const ends = entries.flatMap(({ certificates: [leaf] }) => (leaf === undefined ? [] : [new X509Certificate(leaf).validToDate.getTime()]))
  return ends.length === 0 ? undefined : Math.min(...ends)
}
