import { z } from 'zod'

/** What happens to an entity of an instance's parameters that exists already. */
export const existingPolicies = ['fail', 'ignore', 'update'] as const
export type ExistingPolicy = (typeof existingPolicies)[number]

/** Entities of one level that come with an instance. They are checked when they are stored. */
export interface InitialConfigurations {
  readonly existing_destinations_policy: ExistingPolicy
  readonly existing_certificates_policy: ExistingPolicy
  readonly destinations: readonly Readonly<Record<string, unknown>>[]
  readonly certificates: readonly Readonly<Record<string, unknown>>[]
}

/** Scopes of which a subscriber's user needs all to see or change what the application shares. A list that is not given stays as it was. */
export interface ScopeLists {
  readonly read_scopes?: readonly string[] | undefined
  readonly write_scopes?: readonly string[] | undefined
}

/** The parameters of a destination service instance, what the original takes as `config.json`. */
export interface InstanceParameters {
  readonly HTML5Runtime_enabled?: boolean | undefined
  readonly init_data?:
    | { readonly subaccount?: InitialConfigurations | undefined; readonly instance?: InitialConfigurations | undefined }
    | undefined
  readonly subscriber_access?: { readonly destination?: ScopeLists | undefined; readonly certificate?: ScopeLists | undefined } | undefined
}

const maxInitialEntities = 1_000
const maxScopes = 100

const configurations = z.strictObject({
  existing_destinations_policy: z.enum(existingPolicies).default('fail'),
  existing_certificates_policy: z.enum(existingPolicies).default('fail'),
  destinations: z.array(z.record(z.string(), z.unknown())).max(maxInitialEntities).default([]),
  certificates: z.array(z.record(z.string(), z.unknown())).max(maxInitialEntities).default([]),
})

const scopes = z.array(z.string().min(1).max(256)).max(maxScopes)
const scopeLists = z.strictObject({ read_scopes: scopes.optional(), write_scopes: scopes.optional() })

/** Checks the parameters; unknown keys are an error. Generated descriptors carry a `version`, which means nothing. */
export const instanceParametersSchema: z.ZodType<InstanceParameters> = z
  .strictObject({
    HTML5Runtime_enabled: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]).optional(),
    init_data: z.strictObject({ subaccount: configurations.optional(), instance: configurations.optional() }).optional(),
    subscriber_access: z.strictObject({ destination: scopeLists.optional(), certificate: scopeLists.optional() }).optional(),
    version: z.string().max(20).optional(),
  })
  .transform(({ version: _version, ...parameters }) => parameters)
