import type { MaterialStore } from '@sallyport/cloud-connector'
import type { AuditSink, Clock } from '@sallyport/core'
import { z } from 'zod'
import { readBackup, writeBackup } from '../backup/backup-file.ts'
import { keepForNextStart, readBackupMaterial } from '../backup/pending-restore.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import type { Pair } from '../high-availability/pair-contract.ts'
import { invalidRequest } from './rest-error.ts'
import { type Route, route } from './route.ts'

const path = '/api/v1/configuration/backup'

/** Start options of the process in a file of their own, which a restore never replaces. */
export interface StartOptions {
  read(): Promise<string | undefined>
  /** Puts those of a backup beside the ones in use, for somebody to look at. */
  keepRestored(text: string): Promise<void>
}

/** What backup and restore work on. */
export interface BackupOptions {
  readonly editor: ConfigurationEditor
  readonly material: MaterialStore
  readonly startOptions: StartOptions
  readonly version: string
  /** The other instance has to know before this one starts again. */
  readonly pair?: Pick<Pair, 'beginRestore'> | undefined
  readonly clock: Clock
  readonly audit: Pick<AuditSink, 'write'>
  /** Ends the process so that its wrapper starts it again, after the answer has been sent. */
  readonly restart: () => void
}

/** Backup into a ZIP archive and restore from one (cloud-connector.md §8.7, §9.1). */
export function backup(options: BackupOptions): readonly Route[] {
  const { audit, clock, editor, material, pair, startOptions, version: productVersion } = options
  const tell = (type: 'backup-created' | 'backup-restored', user: string, what: string): void =>
    audit.write({ type, subaccount: '', user, message: `User ${user} ${what}` })
  return [
    route({
      method: 'POST',
      path,
      permission: 'administrators',
      only: 'master',
      body: z.object({ password: z.string().min(1).max(1024) }),
      async handle({ address, body: { password }, caller }) {
        const content = { document: editor.document, material: await readBackupMaterial(material), startOptions: await startOptions.read() }
        const archive = await writeBackup(content, { password, productVersion, nowMs: clock.now() })
        tell('backup-created', caller.user, `created a backup with ${editor.document.subaccounts.length} subaccounts from ${address}`)
        return {
          status: 200,
          body: archive,
          type: 'application/zip',
          headers: { 'content-disposition': `attachment;filename="scc_backup_${new Date(clock.now()).toISOString().slice(0, 10)}.zip"` },
        }
      },
    }),
    route({
      method: 'PUT',
      path,
      permission: 'administrators',
      only: 'master',
      upload: true,
      async handle({ address, caller, form }) {
        const password = form.text('password')
        const content = await readBackup(form.file('backup'), { password, productVersion }).catch((error: unknown) => {
          tell(
            'backup-restored',
            caller.user,
            `tried to restore a backup from ${address}, and nothing has changed: ${String(error instanceof Error ? error.message : error)}`,
          )
          throw error
        })
        if (content.document.connector.haRole === 'undefined') throw invalidRequest('the backup is of an installation that was not set up')
        // What is only to be looked at comes first: after the other nothing may fail any more.
        await pair?.beginRestore()
        if (content.startOptions !== undefined && content.startOptions !== (await startOptions.read()))
          await startOptions.keepRestored(content.startOptions)
        await keepForNextStart(material, content)
        tell('backup-restored', caller.user, `restored a backup with ${content.document.subaccounts.length} subaccounts from ${address}`)
        options.restart()
        return { status: 204 }
      },
    }),
  ]
}
