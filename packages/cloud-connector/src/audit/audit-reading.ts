import { createReadStream } from 'node:fs'
import { maxAuditLineBytes } from '../limits.ts'
import { subaccountFolder } from './audit-folder.ts'

/** The subaccounts that have a log, by their folders: those of the index, and folders that it does not know, because the process died or the index was lost. */
export function subaccountsByFolder(indexed: readonly string[], folders: readonly string[]): ReadonlyMap<string, string> {
  const logs = new Map(indexed.map((subaccount) => [subaccountFolder(subaccount), subaccount]))
  for (const folder of folders) if (!logs.has(folder)) logs.set(folder, subaccountOf(folder))
  return logs
}

/** The subaccount whose folder this is, as far as the name of the folder tells. */
function subaccountOf(folder: string): string {
  if (folder === '_crossaccount') return ''
  try {
    return decodeURIComponent(folder)
  } catch {
    // Cut within a character, or no folder of ours: its entries will not verify.
    return folder
  }
}

/** Lines of a file without their ends; `undefined` for one that is too long or not ended. Memory is bounded by one line. */
export async function* auditLinesOf(file: string): AsyncGenerator<string | undefined> {
  let rest: Buffer = Buffer.alloc(0)
  let skipping = false
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let data: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      if (skipping) skipping = false
      else yield data.toString('utf8', 0, end)
      data = data.subarray(end + 1)
    }
    if (data.length > maxAuditLineBytes) {
      if (!skipping) yield undefined
      skipping = true
      data = data.subarray(0, 0)
    }
    rest = data
  }
  if (rest.length > 0 && !skipping) yield undefined
}
