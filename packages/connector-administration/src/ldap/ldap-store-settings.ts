import { z } from 'zod'

/** Where a directory listens. */
export interface LdapHost {
  readonly host: string
  readonly port: number
  /** LDAPS. */
  readonly isSecure: boolean
}

/** One directory whose users may log on (cloud-connector.md §5.2). */
export interface LdapStoreSettings {
  readonly id: string
  /** How users and roles are searched, see `parseSearchRules`. */
  readonly config: string
  /** The second one stands in for the first. */
  readonly hosts: readonly LdapHost[]
  /** Distinguished name that searches; anonymous without it. */
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly customAdminRole?: string | undefined
  readonly customAssocAdminRole?: string | undefined
  readonly customSubadminRole?: string | undefined
  readonly customSupportRole?: string | undefined
  readonly customDisplayRole?: string | undefined
  readonly customMonitoringRole?: string | undefined
  /** Nobody of this directory is an administrator. Not for the first one. */
  readonly disableAdministratorRole: boolean
}

/** Which certificates directories may show: `listed` ones only, those and the public authorities, or any. */
export interface LdapTrust {
  readonly mode: 'listed-and-public' | 'listed' | 'all'
  /** PEM, one certificate each. */
  readonly certificates: readonly string[]
}

/** All directories, in the order in which they are asked. They decide only when they are enabled; before, they are a draft. */
export interface LdapSettings {
  readonly enabled: boolean
  readonly stores: readonly LdapStoreSettings[]
  readonly trust: LdapTrust
}

/** The original knows three. */
export const maxLdapStores = 3

const role = z.string().max(255).optional()

/** Checks the stored form of {@link LdapSettings} and fills in what is missing. */
export const ldapSettingsSchema: z.ZodType<LdapSettings> = z.strictObject({
  enabled: z.boolean().default(false),
  stores: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        config: z.string(),
        hosts: z
          .array(z.strictObject({ host: z.string().min(1), port: z.int().min(1).max(65_535), isSecure: z.boolean() }))
          .min(1)
          .max(2),
        user: z.string().optional(),
        password: z.string().optional(),
        customAdminRole: role,
        customAssocAdminRole: role,
        customSubadminRole: role,
        customSupportRole: role,
        customDisplayRole: role,
        customMonitoringRole: role,
        disableAdministratorRole: z.boolean().default(false),
      }),
    )
    .max(maxLdapStores)
    .default([]),
  trust: z
    .strictObject({
      mode: z.enum(['listed-and-public', 'listed', 'all']).default('listed-and-public'),
      certificates: z.array(z.string().min(1)).max(1000).default([]),
    })
    .prefault({}),
})
