import { z } from 'zod'
import { type UiSettings, uiSettingsSchema } from './ui-settings.ts'
import { type LdapSettings, ldapSettingsSchema } from '../ldap/ldap-store-settings.ts'

/**
 * Who may administer this installation, and how its pages are reached. Kept apart from the configuration document: it belongs to the instance, is not given to a
 * standby, and can be changed when a file configures the connector.
 */
export interface AccessSettings {
  readonly version: 1
  readonly localUser?: LocalUser | undefined
  /** While it is enabled the local user cannot log on. */
  readonly ldap: LdapSettings
  readonly ui: UiSettings
}

/** The only user of the local store. */
export interface LocalUser {
  readonly name: string
  /** As the password hasher stores it. */
  readonly password: string
  /** Still the password of the installation. */
  readonly initial: boolean
}

/** Checks {@link AccessSettings}. Every area has defaults, so that those of older versions load. */
export const accessSettingsSchema: z.ZodType<AccessSettings> = z.strictObject({
  version: z.literal(1).default(1),
  localUser: z.strictObject({ name: z.string().min(1).max(255), password: z.string().min(1).max(1024), initial: z.boolean() }).optional(),
  ldap: ldapSettingsSchema.prefault({}),
  ui: uiSettingsSchema.prefault({}),
})
