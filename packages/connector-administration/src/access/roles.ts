/** Roles of people and programs that administer a connector, in the spelling of the original's groups (cloud-connector.md §5.3). */
export const roles = ['sccadmin', 'sccassocadmin', 'sccsubadmin', 'sccsupport', 'sccdisplay', 'sccmonitoring'] as const
/** One of {@link roles}. */
export type Role = (typeof roles)[number]

/** A column of the catalogue of routes (cloud-connector.md §8): who may call. `authenticated`: also who has no role at all. `edit` shrinks to administrators for a managed subaccount. */
export type Permission = 'authenticated' | 'all' | 'administrators' | 'associates' | 'edit' | 'support' | 'monitoring'

const permitted: Readonly<Record<Exclude<Permission, 'authenticated'>, readonly Role[]>> = {
  all: roles,
  administrators: ['sccadmin'],
  associates: ['sccadmin', 'sccassocadmin'],
  edit: ['sccadmin', 'sccassocadmin', 'sccsubadmin'],
  support: ['sccadmin', 'sccsupport'],
  monitoring: ['sccadmin', 'sccmonitoring'],
}

/** Who calls. Without roles everything is forbidden. */
export interface Caller {
  readonly user: string
  readonly roles: readonly Role[]
  /** Still has the password of the installation, and may only change it. */
  readonly initialPassword: boolean
  /** Of the session, when the call belongs to one. */
  readonly session?: string | undefined
}

/** Whether a caller may use what needs the permission. */
export function permits(permission: Permission, caller: Pick<Caller, 'roles'>): boolean {
  if (permission === 'authenticated') return true
  const allowed = permitted[permission]
  return caller.roles.some((role) => allowed.includes(role))
}

/** The roles that have a permission. */
export function rolesWith(permission: Exclude<Permission, 'authenticated'>): readonly Role[] {
  return permitted[permission]
}
