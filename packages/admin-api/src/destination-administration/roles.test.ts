import { describe, expect, it } from 'vitest'
import { type DestinationRole, destinationRoles, mayOpenEditor, permits, rolesOfScopes, scopeOfRole } from '../index.ts'

const areas = ['destinations', 'certificates', 'trust'] as const
const actions = ['view', 'manage'] as const

/** What a set of roles allows, as `level:area:action`. */
function allowed(...roles: readonly DestinationRole[]): readonly string[] {
  return (['subaccount', 'instance'] as const).flatMap((level) =>
    areas.flatMap((area) =>
      actions.filter((action) => permits(roles, { area, action, level })).map((action) => `${level}:${area}:${action}`),
    ),
  )
}

const on = (level: string, area: string, ...done: string[]): string[] => done.map((action) => `${level}:${area}:${action}`)

describe('what a role allows', () => {
  it.each<[DestinationRole, string[]]>([
    ['Destination Administrator', areas.flatMap((area) => on('subaccount', area, 'view', 'manage'))],
    ['Destination Configuration Administrator', on('subaccount', 'destinations', 'view', 'manage')],
    ['Destination Certificate Administrator', on('subaccount', 'certificates', 'view', 'manage')],
    ['Destination Subaccount Trust Administrator', on('subaccount', 'trust', 'view', 'manage')],
    ['Destination Viewer', areas.flatMap((area) => on('subaccount', area, 'view'))],
    ['Destination Configuration Viewer', on('subaccount', 'destinations', 'view')],
    ['Destination Certificate Viewer', on('subaccount', 'certificates', 'view')],
    ['Destination Subaccount Trust Viewer', on('subaccount', 'trust', 'view')],
    ['Destination Administrator Instance', []],
    ['Org Manager', []],
    ['Space Developer', []],
    ['Space Auditor', []],
  ])('%s alone: on the subaccount only', (role, expected) => {
    expect(allowed(role)).toEqual(expected)
  })

  it.each<[DestinationRole, DestinationRole, string[]]>([
    [
      'Destination Administrator Instance',
      'Space Developer',
      ['destinations', 'certificates'].flatMap((area) => on('instance', area, 'view', 'manage')),
    ],
    ['Destination Configuration Instance Administrator', 'Space Manager', on('instance', 'destinations', 'view', 'manage')],
    ['Destination Certificate Instance Administrator', 'Org Manager', on('instance', 'certificates', 'view', 'manage')],
    ['Destination Viewer Instance', 'Space Auditor', ['destinations', 'certificates'].flatMap((area) => on('instance', area, 'view'))],
    ['Destination Configuration Instance Viewer', 'Space Developer', on('instance', 'destinations', 'view')],
    ['Destination Certificate Instance Viewer', 'Space Developer', on('instance', 'certificates', 'view')],
    [
      'Destination Administrator Instance',
      'Space Auditor',
      ['destinations', 'certificates'].flatMap((area) => on('instance', area, 'view')),
    ],
  ])('%s with %s: on the instance only', (role, space, expected) => {
    expect(allowed(role, space)).toEqual(expected)
  })

  it('a role of the subaccount reaches instances with a role of the space beside it', () => {
    expect(allowed('Destination Configuration Viewer', 'Space Developer')).toEqual([
      ...on('subaccount', 'destinations', 'view'),
      ...on('instance', 'destinations', 'view'),
    ])
  })

  it('the editor opens for those who see destinations and certificates', () => {
    expect(mayOpenEditor(['Destination Viewer'])).toBe(true)
    expect(mayOpenEditor(['Destination Configuration Viewer', 'Destination Certificate Viewer'])).toBe(true)
    expect(mayOpenEditor(['Destination Configuration Viewer'])).toBe(false)
    expect(mayOpenEditor(['Destination Viewer Instance', 'Space Developer'])).toBe(false)
  })
})

it('roles stand in tokens as scopes of one application', () => {
  const scopes = destinationRoles.map((role) => `cockpit!t1.${scopeOfRole(role)}`)
  expect(rolesOfScopes(scopes, 'cockpit!t1')).toEqual(destinationRoles)
  expect(rolesOfScopes(scopes, 'other!t1')).toEqual([])
  expect(rolesOfScopes(['Destination_Administrator', 'xcockpit!t1.Destination_Administrator', 'openid'], 'cockpit!t1')).toEqual([])
})
