/** What administrators of destinations work on: destinations and fragments, certificates, the trust of the subaccount. */
export type AdministeredArea = 'destinations' | 'certificates' | 'trust'
/** What they do: `manage` includes `view`, because nobody changes what he must not see. */
export type AdministrationAction = 'view' | 'manage'

/** The roles of the original's cockpit ("User Roles") in the order of its page; the last four are those of organisation and space. */
export const destinationRoles = [
  'Destination Administrator',
  'Destination Configuration Administrator',
  'Destination Certificate Administrator',
  'Destination Subaccount Trust Administrator',
  'Destination Viewer',
  'Destination Configuration Viewer',
  'Destination Certificate Viewer',
  'Destination Subaccount Trust Viewer',
  'Destination Administrator Instance',
  'Destination Configuration Instance Administrator',
  'Destination Certificate Instance Administrator',
  'Destination Viewer Instance',
  'Destination Configuration Instance Viewer',
  'Destination Certificate Instance Viewer',
  'Org Manager',
  'Space Manager',
  'Space Developer',
  'Space Auditor',
] as const
/** A role by its name in the original's cockpit. */
export type DestinationRole = (typeof destinationRoles)[number]

/** What each role is worth; holding one suffices. */
const roleTable: Readonly<Record<DestinationRole, readonly RoleGrant[]>> = {
  'Destination Administrator': [{ areas: ['destinations', 'certificates', 'trust'], action: 'manage' }],
  'Destination Configuration Administrator': [{ areas: ['destinations'], action: 'manage' }],
  'Destination Certificate Administrator': [{ areas: ['certificates'], action: 'manage' }],
  'Destination Subaccount Trust Administrator': [{ areas: ['trust'], action: 'manage' }],
  'Destination Viewer': [{ areas: ['destinations', 'certificates', 'trust'], action: 'view' }],
  'Destination Configuration Viewer': [{ areas: ['destinations'], action: 'view' }],
  'Destination Certificate Viewer': [{ areas: ['certificates'], action: 'view' }],
  'Destination Subaccount Trust Viewer': [{ areas: ['trust'], action: 'view' }],
  'Destination Administrator Instance': [{ areas: ['destinations', 'certificates'], action: 'manage', instanceOnly: true }],
  'Destination Configuration Instance Administrator': [{ areas: ['destinations'], action: 'manage', instanceOnly: true }],
  'Destination Certificate Instance Administrator': [{ areas: ['certificates'], action: 'manage', instanceOnly: true }],
  'Destination Viewer Instance': [{ areas: ['destinations', 'certificates'], action: 'view', instanceOnly: true }],
  'Destination Configuration Instance Viewer': [{ areas: ['destinations'], action: 'view', instanceOnly: true }],
  'Destination Certificate Instance Viewer': [{ areas: ['certificates'], action: 'view', instanceOnly: true }],
  // Roles of organisation and space: needed on the instance level beside one of the others, and worth nothing alone.
  'Org Manager': [],
  'Space Manager': [],
  'Space Developer': [],
  'Space Auditor': [],
}

interface RoleGrant {
  readonly areas: readonly AdministeredArea[]
  readonly action: AdministrationAction
  readonly instanceOnly?: true
}

/** Role collections that exist without being configured; the first two have further roles in the original. */
export const defaultRoleCollections: Readonly<Record<string, readonly DestinationRole[]>> = {
  'Subaccount Administrator': ['Destination Administrator'],
  'Subaccount Viewer': ['Destination Viewer'],
  'Destination Administrator': ['Destination Administrator'],
  'Connectivity and Destination Administrator': ['Destination Administrator'],
}

/** The scope, without the name of the application, by which tokens say that their user has a role. */
export function scopeOfRole(role: DestinationRole): string {
  return role.replaceAll(' ', '_')
}

/** The roles that scopes stand for; `xsappname` is the application that they belong to. Scopes of others say nothing. */
export function rolesOfScopes(scopes: readonly string[], xsappname: string): readonly DestinationRole[] {
  return destinationRoles.filter((role) => scopes.includes(`${xsappname}.${scopeOfRole(role)}`))
}

/** Whether roles allow an action on the subaccount's or an instance's own level. */
export function permits(
  roles: readonly DestinationRole[],
  wanted: { readonly area: AdministeredArea; readonly action: AdministrationAction; readonly level: 'subaccount' | 'instance' },
): boolean {
  const { area, action, level } = wanted
  if (level === 'instance') {
    // Trust belongs to subaccounts.
    if (area === 'trust') return false
    const spaceRoles = action === 'view' ? [...spaceMembers, 'Space Auditor' as const] : spaceMembers
    if (!spaceRoles.some((role) => roles.includes(role))) return false
  }
  return roles.some((role) =>
    roleTable[role].some(
      (grant) =>
        grant.areas.includes(area) &&
        (grant.action === 'manage' || action === 'view') &&
        (grant.instanceOnly !== true || level === 'instance'),
    ),
  )
}

/** What somebody lacks who may not do something: one role of each list. */
export function rolesNeeded(wanted: Parameters<typeof permits>[1]): readonly (readonly DestinationRole[])[] {
  const space = wanted.action === 'view' ? [...spaceMembers, 'Space Auditor' as const] : spaceMembers
  const roles = destinationRoles.filter((role) => permits([role, 'Space Developer'], wanted))
  return wanted.level === 'instance' ? [roles, space] : [roles]
}

const spaceMembers = ['Org Manager', 'Space Manager', 'Space Developer'] as const

/** Whether the editor of destinations opens: for those who see destinations and certificates. */
export function mayOpenEditor(roles: readonly DestinationRole[]): boolean {
  return (['destinations', 'certificates'] as const).every((area) => permits(roles, { area, action: 'view', level: 'subaccount' }))
}
