import type { MaterialStore } from '@sallyport/cloud-connector'
import { type AuditSink, ConnectivityError, createTurnQueue } from '@sallyport/core'
import { parseMaterial } from '../document/parse-material.ts'
import { accessChanges } from './access-changes.ts'
import { type AccessSettings, accessSettingsSchema } from './access-settings.ts'

/** Changes the settings of access, one change after the other. */
export interface AccessEditor {
  /** What is in force. */
  readonly settings: AccessSettings
  /** Stores what `edit` makes of the settings, then puts it in force. `user` is who asked, for the audit log. @throws what `edit` throws, and ConnectivityError `STORE_FAILED`; nothing has changed then. */
  change(user: string, edit: (settings: AccessSettings) => AccessSettings | Promise<AccessSettings>): Promise<void>
  /** Calls back after every change. */
  onChange(listener: (settings: AccessSettings) => void): void
}

/** Name of the users among the sealed material; each instance of a pair has its own. */
export const accessMaterialName = 'administration access'

/** Opens the settings that are kept among the sealed material of the connector. @throws ConnectivityError `STORE_FAILED` for what are none. */
export async function openAccessEditor(material: MaterialStore, audit: Pick<AuditSink, 'write'>): Promise<AccessEditor> {
  const text = await material.load(accessMaterialName)
  let settings = read(text === undefined ? {} : parseMaterial(text))
  const { inTurn } = createTurnQueue()
  const listeners: ((settings: AccessSettings) => void)[] = []
  return {
    get settings() {
      return settings
    },
    change: (user, edit) =>
      inTurn(async () => {
        const edited = await edit(settings)
        if (edited === settings) return
        await material.save(accessMaterialName, JSON.stringify(edited))
        for (const entry of accessChanges(settings, edited, user)) audit.write(entry)
        settings = edited
        for (const listener of listeners) listener(settings)
      }),
    onChange: (listener) => void listeners.push(listener),
  }
}

function read(stored: unknown): AccessSettings {
  const result = accessSettingsSchema.safeParse(stored)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ConnectivityError(
    'STORE_FAILED',
    `the stored users of the connector cannot be used: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}; restore a backup`,
  )
}
