import { randomBytes } from 'node:crypto'
import { type Access, openAccess, type OwnedCertificate } from '@sallyport/connector-administration'
import { type AuditSink, ConnectivityError } from '@sallyport/core'
import { createPasswordHasher } from '@sallyport/token-service'
import type { ConnectorMaterial } from './connector-material.ts'
import type { PartContext } from './part.ts'

const initialPasswordFile = ['connector', 'initial-password'] as const
/** What the original is shipped with. */
const defaultPassword = 'manage'

/**
 * Who may administer the connector of this folder. The password of the only user is random at first, and written to a file for the owner of the folder, until it is
 * changed. An installation that is administered asks for that change; one that a file configures runs unattended, and has nothing to be changed by hand.
 */
export async function openConnectorAccess(
  { clock, configuration, folder, log }: Pick<PartContext, 'clock' | 'configuration' | 'folder' | 'log'>,
  options: {
    readonly material: ConnectorMaterial
    readonly administered: boolean
    readonly compatDefaultPassword: boolean
    readonly ownCertificate: OwnedCertificate
    readonly audit: Pick<AuditSink, 'write'>
    readonly loginInformation: () => string
  },
): Promise<Access> {
  const { administered, audit, compatDefaultPassword, loginInformation, material, ownCertificate } = options
  if (compatDefaultPassword && !isLoopback(configuration.connectorAdmin.host)) {
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `the default password is for tests on this machine, but the administration listens on ${configuration.connectorAdmin.host}`,
      { details: { next: 'leave --compat-default-password out, or connectorAdmin.host' } },
    )
  }
  const access = await openAccess({
    material: material.store,
    hasher: createPasswordHasher({ random: randomBytes }),
    clock,
    log,
    audit,
    ownCertificate,
    loginInformation,
    forcePasswordChange: administered,
    initialPassword() {
      const password = compatDefaultPassword ? defaultPassword : randomBytes(12).toString('base64url')
      folder.write(initialPasswordFile, `${password}\n`)
      return password
    },
  })
  const forget = (): void => {
    if (!access.localUser.user.initial) folder.remove(...initialPasswordFile)
  }
  forget()
  access.editor.onChange(forget)
  return access
}

/** Where the initial password can be read, as long as it is the one. */
export function initialPasswordFileOf({ folder }: Pick<PartContext, 'folder'>, access: Access): string | undefined {
  return access.localUser.user.initial ? folder.file(...initialPasswordFile) : undefined
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
