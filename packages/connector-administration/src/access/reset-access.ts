import type { MaterialStore } from '@sallyport/cloud-connector'
import type { AuditSink } from '@sallyport/core'
import { openAccessEditor } from './access-editor.ts'
import type { AccessSettings } from './access-settings.ts'

/** Ways back for whoever has locked himself out (cloud-connector.md §5), by the names that the command line has for them. */
const accessResets: Readonly<Record<AccessReset, (settings: AccessSettings) => AccessSettings>> = {
  // Made anew at the next start, with a new password.
  reset: (settings) => ({ ...settings, localUser: undefined }),
  'use-file-store': (settings) => ({ ...settings, ldap: { ...settings.ldap, enabled: false } }),
  'use-basic-authentication': (settings) => ({
    ...settings,
    ui: { ...settings.ui, clientCertificates: { ...settings.ui.clientCertificates, enabled: false } },
  }),
  'reset-ciphers': (settings) => ({ ...settings, ui: { ...settings.ui, cipherSuites: undefined } }),
}

/** `reset`: the local user and his password; `use-file-store`: no directories; `use-basic-authentication`: no certificates; `reset-ciphers`: the usual ones. */
export type AccessReset = 'reset' | 'use-file-store' | 'use-basic-authentication' | 'reset-ciphers'

/** Resets what is stored for a connector that is not running: one that runs would not see it, and overwrite it. */
export async function resetAccess(material: MaterialStore, audit: Pick<AuditSink, 'write'>, what: AccessReset): Promise<void> {
  await (await openAccessEditor(material, audit)).change('command line', accessResets[what])
}
