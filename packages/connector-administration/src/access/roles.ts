/** Roles of people and programs that administer a connector, in the spelling of the original's groups (cloud-connector.md §5.3). */
export const roles = ['sccadmin', 'sccassocadmin', 'sccsubadmin', 'sccsupport', 'sccdisplay', 'sccmonitoring'] as const
/** One of {@link roles}. */
export type Role = (typeof roles)[number]

/** A column of the catalogue of routes (cloud-connector.md §8): who may call. `edit` shrinks to administrators for a managed subaccount. */
export type Permission = 'all' | 'administrators' | 'associates' | 'edit' | 'support' | 'monitoring'

const permitted: Readonly<Record<Permission, readonly Role[]>> = {
  all: roles,
  administrators: ['sccadmin'],
  associates: ['sccadmin', 'sccassocadmin'],
  edit: ['sccadmin', 'sccassocadmin', 'sccsubadmin'],
  support: ['sccadmin', 'sccsupport'],
  monitoring: ['sccadmin', 'sccmonitoring'],
}

/** Who calls. A role that is not one of {@link roles} may do nothing. */
export interface Caller {
  readonly user: string
  readonly role: string
  /** Still has the password of the installation, and may only change it. */
  readonly initialPassword: boolean
}

/** Whether a caller may use what needs the permission. */
export function permits(permission: Permission, caller: Caller): boolean {
  const allowed: readonly string[] = permitted[permission]
  return allowed.includes(caller.role)
}
