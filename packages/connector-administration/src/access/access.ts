import type { MaterialStore } from '@sallyport/cloud-connector'
import { type Clock, type Logger, silentLogger } from '@sallyport/core'
import { createLdapDirectories } from '../ldap/ldap-directories.ts'
import type { Authenticate } from '../rest/route.ts'
import { type AccessEditor, openAccessEditor } from './access-editor.ts'
import { createAuthenticate } from './authenticate.ts'
import { type LocalUserStore, openLocalUserStore, type PasswordHasher } from './local-user-store.ts'
import { createLogOn, type LogOn } from './log-on.ts'
import { createLogOnLock } from './log-on-lock.ts'
import { createSessions, type Sessions } from './sessions.ts'
import type { UserStore } from './user-store.ts'

/** Who may administer this installation. */
export interface Access {
  readonly editor: AccessEditor
  readonly localUser: LocalUserStore
  readonly logOn: LogOn
  readonly sessions: Sessions
  /** Whether somebody has to change his password before anything else. */
  hasInitialPassword(name: string): boolean
  readonly authenticate: Authenticate
}

/** What access is made of. */
export interface AccessOptions {
  readonly material: MaterialStore
  readonly hasher: PasswordHasher
  readonly clock: Clock
  /** Called once, at the first start; whoever gives it sees to it that the administrator learns it. */
  readonly initialPassword: () => string
  /** Refuses everything but the change while the password is that of the installation. */
  readonly forcePasswordChange: boolean
  readonly log?: Logger
}

/** Opens users and sessions. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { clock, forcePasswordChange, hasher, initialPassword, log = silentLogger, material } = options
  const editor = await openAccessEditor(material)
  const lock = createLogOnLock(clock)
  const localUser = await openLocalUserStore({ access: editor, hasher, initialPassword, lock })
  const store = (): UserStore => (editor.settings.ldap.enabled ? createLdapDirectories(editor.settings.ldap, log) : localUser)
  const sessions = createSessions(clock)
  const logOn = createLogOn({ store, lock })
  const hasInitialPassword = (name: string): boolean =>
    forcePasswordChange && !editor.settings.ldap.enabled && localUser.user.initial && name === localUser.user.name
  const authenticate = createAuthenticate({ logOn, sessions, hasInitialPassword })
  return {
    editor,
    localUser,
    logOn,
    sessions,
    hasInitialPassword,
    authenticate,
  }
}
