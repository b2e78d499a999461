import { randomBytes, randomUUID } from 'node:crypto'
import { defaultRoleCollections, destinationRoles, scopeOfRole } from '@sallyport/admin-api'
import { ConnectivityError, createSecret } from '@sallyport/core'
import type { ClientConfiguration } from '@sallyport/token-service'
import type { Configuration } from '../configuration/configuration.ts'
import type { DataFolder } from './data-folder.ts'

/** The application through which people administer destinations; its scopes say which roles they have. */
export interface CockpitClient {
  readonly clientId: string
  readonly clientSecret: string
  readonly xsappname: string
}

/** Scope, without the name of the application, of users who may add cloud connectors to their subaccount. */
export const connectorAdministratorScope = 'Cloud_Connector_Administrator'

/** Role collections whose users have it, as in the original. */
const connectorAdministrators = ['Subaccount Administrator', 'Cloud Connector Administrator', 'Connectivity and Destination Administrator']

const fileName = 'cockpit.json'

/** The client of one installation; made on first use and the same from then on. */
export function openCockpitClient(folder: DataFolder): CockpitClient {
  const text = folder.read(fileName) ?? folder.writeOnce([fileName], `${JSON.stringify(newClient(), null, 2)}\n`)
  try {
    return JSON.parse(text) as CockpitClient
  } catch (cause) {
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `${folder.file(fileName)} cannot be read; restore it, or remove it to have a new client made`,
      { cause },
    )
  }
}

function newClient(): CockpitClient {
  const clientSecret = `${randomUUID()}$${randomBytes(32).toString('base64')}`
  return { clientId: 'sb-sallyport-cockpit!t1', clientSecret, xsappname: 'sallyport-cockpit!t1' }
}

/**
 * The client as the token service knows it. Users have roles through their groups, which are what the original calls role collections. Scopes of the
 * application come along, because what instances let consumers do goes by them.
 */
export function cockpitConfiguration(
  cockpit: CockpitClient,
  configuration: Configuration,
  application: {
    readonly tenant: string
    readonly subscribedTenants: readonly string[]
    readonly scopes: NonNullable<ClientConfiguration['scopes']>
  },
): ClientConfiguration {
  const collections = new Map(Object.entries(defaultRoleCollections))
  for (const { name, roles } of configuration.roleCollections) collections.set(name, roles)
  const roles = destinationRoles.map((role) => ({
    name: `$XSAPPNAME.${scopeOfRole(role)}`,
    groups: [...collections].filter(([, granted]) => granted.includes(role)).map(([name]) => name),
  }))
  return {
    ...application,
    id: cockpit.clientId,
    xsappname: cockpit.xsappname,
    secrets: [createSecret(cockpit.clientSecret)],
    // Nobody but people administers through it.
    grantTypes: ['authorization_code', 'password', 'refresh_token'],
    scopes: [...roles, { name: `$XSAPPNAME.${connectorAdministratorScope}`, groups: connectorAdministrators }, ...application.scopes],
    redirectUris: configuration.server.tokenService.redirectUris,
  }
}
