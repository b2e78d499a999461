import { z } from 'zod'
import { type Label, labelSchema } from '../label.ts'
import { type DestinationRole, destinationRoles } from './roles.ts'

/** What somebody may do with one area of a level. */
export type AreaAccess = 'none' | 'view' | 'manage'
const areaAccess = z.enum(['none', 'view', 'manage'])

/** What somebody may do on a level. */
export interface LevelAccess {
  readonly destinations: AreaAccess
  readonly certificates: AreaAccess
  readonly trust: AreaAccess
}
const levelAccess: z.ZodType<LevelAccess> = z.object({ destinations: areaAccess, certificates: areaAccess, trust: areaAccess })

/** Who is administering, and what he may do on the subaccount's own level. */
export interface AdministrationSession {
  readonly subaccount: string
  readonly user: string
  /** Of people; clients of instances need none. */
  readonly roles: readonly DestinationRole[]
  /** Whether the editor of destinations opens. */
  readonly editor: boolean
  readonly access: LevelAccess
}

/** Checks an {@link AdministrationSession}. */
export const administrationSessionSchema: z.ZodType<AdministrationSession> = z.object({
  subaccount: z.string(),
  user: z.string(),
  roles: z.array(z.enum(destinationRoles)),
  editor: z.boolean(),
  access: levelAccess,
})

/** A destination service instance as a subaccount sees it: its own, or that of an application which it has subscribed to. */
export interface AdministeredInstance {
  readonly id: string
  readonly name: string
  readonly relation: 'own' | 'subscription'
  readonly access: LevelAccess
}

/** Checks a list of instances. */
export const administeredInstancesSchema: z.ZodType<readonly AdministeredInstance[]> = z.array(
  z.object({ id: z.string(), name: z.string(), relation: z.enum(['own', 'subscription']), access: levelAccess }),
)

/** A destination or fragment as people see it: secrets are named and not shown. */
export interface AdministeredEntity {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  /** Names of properties that have a value which is not shown. */
  readonly secrets: readonly string[]
  readonly labels: readonly Label[]
  /** On a subscriber's level: whether the subscriber sees it. */
  readonly sharedWithSubscriber: boolean
  readonly modifiedAtMs: number
  /** Changes with every write; `If-Match` of a replacement takes it. */
  readonly version: string
}

/** Checks an {@link AdministeredEntity}. */
export const administeredEntitySchema: z.ZodType<AdministeredEntity> = z.object({
  name: z.string(),
  properties: z.record(z.string(), z.string()),
  secrets: z.array(z.string()),
  labels: z.array(labelSchema),
  sharedWithSubscriber: z.boolean(),
  modifiedAtMs: z.number(),
  version: z.string(),
})

/** A certificate as people see it in lists: nothing of its content. */
export interface AdministeredCertificate {
  readonly name: string
  readonly labels: readonly Label[]
  readonly sharedWithSubscriber: boolean
  readonly modifiedAtMs: number
}

/** Checks a list of certificates. */
export const administeredCertificatesSchema: z.ZodType<readonly AdministeredCertificate[]> = z.array(
  z.object({ name: z.string(), labels: z.array(labelSchema), sharedWithSubscriber: z.boolean(), modifiedAtMs: z.number() }),
)
