import type { AdminTls, MaterialStore } from '@sallyport/cloud-connector'
import { type AuditSink, type Clock, createSecret, type Logger, silentLogger } from '@sallyport/core'
import { createLdapDirectories } from '../ldap/ldap-directories.ts'
import type { Authenticate } from '../rest/route.ts'
import { type AccessEditor, openAccessEditor } from './access-editor.ts'
import type { OwnedCertificate } from '../document/on-premises.ts'
import { createAuthenticate } from './authenticate.ts'
import { type LocalUserStore, openLocalUserStore, type PasswordHasher } from './local-user-store.ts'
import { type ClientCertificateSettings, openSslCiphers } from './ui-settings.ts'
import { createShownTls } from './shown-tls.ts'
import { createLogOn } from './log-on.ts'
import { createLogOnLock } from './log-on-lock.ts'
import { createLogOnRefusals } from './log-on-refusals.ts'
import { createProveUser, type ProveUser } from './prove-user.ts'
import { createSessions, type Sessions } from './sessions.ts'
import type { UserStore } from './user-store.ts'

/** Who may administer this installation. */
export interface Access {
  readonly editor: AccessEditor
  readonly localUser: LocalUserStore
  readonly proveUser: ProveUser
  readonly sessions: Sessions
  /** Whether somebody has to change his password before anything else. */
  hasInitialPassword(name: string): boolean
  readonly authenticate: Authenticate
  readonly ownCertificate: OwnedCertificate
  /** Log-on with certificates as it has been since the start. */
  readonly clientCertificates: ClientCertificateSettings
  /** What the administration listener shows and takes. */
  tls(): AdminTls
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
  /** What the administration shows as long as nobody has given it another certificate. */
  readonly ownCertificate: OwnedCertificate
  readonly audit: Pick<AuditSink, 'write'>
  /** HTML for whoever is about to log on; none unless it is given. */
  readonly loginInformation?: () => string
  readonly log?: Logger
}

/** Opens users and sessions. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { audit, clock, forcePasswordChange, hasher, initialPassword, log = silentLogger, material, ownCertificate } = options
  const editor = await openAccessEditor(material, audit)
  const lock = createLogOnLock(clock)
  const localUser = await openLocalUserStore({ access: editor, hasher, initialPassword, lock })
  const store = (): UserStore => (editor.settings.ldap.enabled ? createLdapDirectories(editor.settings.ldap, log) : localUser)
  const sessions = createSessions(clock)
  const refusals = createLogOnRefusals(audit, clock)
  const logOn = createLogOn({ store, lock, onRefused: refusals.ofPassword })
  const hasInitialPassword = (name: string): boolean =>
    forcePasswordChange && !editor.settings.ldap.enabled && localUser.user.initial && name === localUser.user.name
  const { clientCertificates } = editor.settings.ui
  const shownTls = createShownTls(ownCertificate, log)
  const proveUser = createProveUser({ logOn, find: (name) => store().find(name), clientCertificates, onRefused: refusals.ofCertificate })
  const authenticate = createAuthenticate({
    proveUser,
    sessions,
    hasInitialPassword,
    loginInformation: options.loginInformation ?? (() => ''),
  })
  return {
    editor,
    localUser,
    proveUser,
    sessions,
    hasInitialPassword,
    authenticate,
    ownCertificate,
    clientCertificates,
    tls() {
      const { certificate, cipherSuites } = shownTls(editor.settings.ui)
      return {
        certificate: certificate.certificate,
        key: createSecret(certificate.key),
        ciphers: openSslCiphers(cipherSuites),
        clientAuthorities: clientCertificates.enabled ? clientCertificates.allowed : undefined,
      }
    },
  }
}
