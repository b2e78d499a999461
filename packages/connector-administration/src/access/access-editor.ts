import type { MaterialStore } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { type AccessSettings, accessSettingsSchema } from './access-settings.ts'

/** Changes the settings of access, one change after the other. */
export interface AccessEditor {
  /** What is in force. */
  readonly settings: AccessSettings
  /** Stores what `edit` makes of the settings, then puts it in force. @throws what `edit` throws, and ConnectivityError `STORE_FAILED`; nothing has changed then. */
  change(edit: (settings: AccessSettings) => AccessSettings | Promise<AccessSettings>): Promise<void>
  /** Calls back after every change. */
  onChange(listener: (settings: AccessSettings) => void): void
}

/** Name of the users among the sealed material; each instance of a pair has its own. */
export const accessMaterialName = 'administration access'

/** Opens the settings that are kept among the sealed material of the connector. @throws ConnectivityError `STORE_FAILED` for what are none. */
export async function openAccessEditor(material: MaterialStore): Promise<AccessEditor> {
  const text = await material.load(accessMaterialName)
  let settings = read(text === undefined ? {} : JSON.parse(text))
  let working: Promise<unknown> = Promise.resolve()
  const listeners: ((settings: AccessSettings) => void)[] = []
  return {
    get settings() {
      return settings
    },
    change(edit) {
      const done = working.then(async () => {
        const edited = await edit(settings)
        if (edited === settings) return
        await material.save(accessMaterialName, JSON.stringify(edited))
        settings = edited
        for (const listener of listeners) listener(settings)
      })
      working = done.catch(() => {})
      return done
    },
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

/** Lets the local user log on again, when directories of users have locked everybody out. For a connector that is not running. */
export async function useFileUserStore(material: MaterialStore): Promise<void> {
  await (await openAccessEditor(material)).change((settings) => ({ ...settings, ldap: { ...settings.ldap, enabled: false } }))
}
