import { type LogSettings, logSettingsSchema } from '@sallyport/admin-api'
import { z } from 'zod'
import { type ReportingSettings, reportingSchema } from './reporting.ts'
import { type OnPremisesSettings, onPremisesSchema } from './on-premises.ts'
import { type AdministeredSubaccount, administeredSubaccountSchema } from './administered-subaccount.ts'
import { maxCustomRegions, maxLoginInformationLength } from '../limits.ts'
import { type ConnectivitySettings, connectivitySettingsSchema } from './connectivity-settings.ts'
import { type SolutionManagementSettings, solutionManagementSchema } from './solution-management.ts'
import { type CustomRegion, customRegionSchema } from './custom-region.ts'

/** Version of the form in which documents are written. */
export const documentFormat = 1

/** Whether an instance answers requests or stands by; undefined until an administrator has chosen. */
export type HaRole = 'undefined' | 'master' | 'shadow'

/** Way to the cloud side. */
export interface ProxySettings {
  readonly host: string
  readonly port: number
  readonly user?: string | undefined
  readonly password?: string | undefined
}

/**
 * Everything an administrator configures, as one value. It is stored as a whole and sealed as a whole, so secrets are members like others; what leaves the
 * process is rendered, never the document itself. Immutable: changes make a new one.
 */
export interface AdministeredDocument {
  /** Of the form of the document; it grows when older ones have to be read differently. */
  readonly version: typeof documentFormat
  /** Counts changes. */
  readonly revision: number
  readonly connector: {
    readonly description: string
    readonly haRole: HaRole
    readonly proxy?: ProxySettings | undefined
  }
  readonly onPremises: OnPremisesSettings
  readonly connectivity: ConnectivitySettings
  readonly regions: readonly CustomRegion[]
  readonly reporting: ReportingSettings
  /** Of this instance alone: the other one of a pair has its own. */
  readonly logAndTrace: LogSettings
  /** HTML on the log-on page; checked when it is set. */
  readonly loginInformation: string
  readonly solutionManagement: SolutionManagementSettings
  readonly subaccounts: readonly AdministeredSubaccount[]
}

const proxy = z.strictObject({
  host: z.string().min(1).max(255),
  port: z.int().min(1).max(65_535),
  user: z.string().max(255).optional(),
  password: z.string().max(1024).optional(),
})

/** Checks an {@link AdministeredDocument}. Every area has defaults: an empty object is a fresh installation. */
export const administeredDocumentSchema: z.ZodType<AdministeredDocument> = z.strictObject({
  version: z.literal(documentFormat).default(documentFormat),
  revision: z.int().min(0).default(0),
  connector: z
    .strictObject({
      description: z.string().max(1024).default(''),
      haRole: z.enum(['undefined', 'master', 'shadow']).default('undefined'),
      proxy: proxy.optional(),
    })
    .prefault({}),
  onPremises: onPremisesSchema.prefault({}),
  connectivity: connectivitySettingsSchema.prefault({}),
  reporting: reportingSchema.default(reportingSchema.parse({})),
  logAndTrace: logSettingsSchema.prefault({}),
  regions: z.array(customRegionSchema).max(maxCustomRegions).default([]),
  loginInformation: z.string().max(maxLoginInformationLength).default(''),
  solutionManagement: solutionManagementSchema.prefault({}),
  subaccounts: z.array(administeredSubaccountSchema).max(1000).default([]),
})
