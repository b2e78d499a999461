import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KerberosLogon, KerberosTickets } from './kerberos-tickets.ts'
import { createRealmTickets, type RealmTickets, type TicketSurroundings } from './realm-tickets.ts'

/** The tickets of all tunnels: those with the same settings and keytab share theirs. */
export interface KerberosRealms {
  /** Removes what an earlier process has left, unless the folder is in use already. Nobody else may use it at the same time. */
  tidyUp(): Promise<void>
  /** Tickets for a log-on; the same ones as long as they are kept. Starts nothing. */
  of(logon: KerberosLogon): KerberosTickets
  /** Retires all others. */
  keep(used: readonly (KerberosTickets | undefined)[]): void
  close(): Promise<void>
}

/** Makes an empty collection. `folder` is for it alone: what an earlier process has left there is removed before it is used. Without it there is a new one. */
export function createKerberosRealms(
  options: { readonly folder: string | undefined } & Omit<TicketSurroundings, 'folder'>,
): KerberosRealms {
  const { folder, ...surroundings } = options
  const all = new Map<string, RealmTickets>()
  let preparing: Promise<string> | undefined
  const prepare = (): Promise<string> => {
    preparing ??= (folder === undefined ? mkdtemp(join(tmpdir(), 'sallyport-')) : emptyFolder(folder)).catch((error: unknown) => {
      preparing = undefined
      throw error
    })
    return preparing
  }
  return {
    async tidyUp() {
      if (folder !== undefined && preparing === undefined) await rm(folder, { recursive: true, force: true })
    },
    of(logon) {
      const digest = createHash('sha256')
        // In whatever order somebody has written them.
        .update(JSON.stringify([Object.entries(logon.settings).toSorted(([a], [b]) => (a < b ? -1 : 1)), logon.keytab.reveal()]))
        .digest('hex')
      const known = all.get(digest)
      if (known !== undefined) return known
      const made = createRealmTickets(logon, { ...surroundings, folder: prepare })
      all.set(digest, made)
      return made
    },
    keep(used) {
      for (const [digest, tickets] of all) {
        if (used.includes(tickets)) continue
        all.delete(digest)
        tickets.retire()
      }
    },
    async close() {
      await Promise.all([...all.values()].map((tickets) => tickets.close()))
      all.clear()
      const made = await preparing?.catch(() => undefined)
      if (made !== undefined) await rm(made, { recursive: true, force: true })
    },
  }
}

async function emptyFolder(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return folder
}
