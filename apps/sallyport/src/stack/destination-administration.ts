import {
  type Administration,
  type ConnectionChecker,
  createSqlInstanceSettings,
  type DestinationService,
  type InstanceSettingsRepository,
  parametersDigest,
  type SubaccountEncryption,
} from '@sallyport/destination-service'
import { ConnectivityError } from '@sallyport/core'
import { type Configuration, readReferencedJson } from '../configuration/configuration.ts'
import { subaccountsOf } from './cloud-settings.ts'
import { openCockpitClient } from './cockpit-client.ts'
import type { DataFolder } from './data-folder.ts'
import { openInstances } from './instances.ts'

/** What people administer: the one destination service instance of this installation, as its subaccount and as all others, which have subscribed. */
export function destinationAdministration(deps: {
  readonly configuration: Configuration
  readonly folder: DataFolder
  readonly db: Parameters<typeof createSqlInstanceSettings>[0]['db']
  readonly connections: ConnectionChecker
  readonly encryption: SubaccountEncryption
}): Administration {
  const { configuration, folder, db, connections, encryption } = deps
  const subaccounts = subaccountsOf(configuration).map(({ id }) => id)
  const { destination } = openInstances(folder)
  const instance = { instanceId: destination.instanceId, subaccountId: subaccounts[0] ?? '' }
  const { clientId, xsappname } = openCockpitClient(folder)
  return {
    applications: [{ clientId, xsappname }],
    directory: { list: (subaccountId) => (subaccounts.includes(subaccountId) ? [{ instance, name: destination.name }] : []) },
    settings: createSqlInstanceSettings({ db }),
    connections,
    encryption,
  }
}

/** Applies the parameters of the configuration, unless they are what was applied last. @throws ConnectivityError `CONFIGURATION_INVALID` when they are refused. */
export async function applyConfiguredParameters(
  service: DestinationService,
  settings: InstanceSettingsRepository,
  { configuration, folder }: { readonly configuration: Configuration; readonly folder: DataFolder },
): Promise<void> {
  const { parameters } = configuration.instances.destination
  if (parameters === undefined) return
  const value = readReferencedJson(parameters, configuration)
  const { destination } = openInstances(folder)
  if ((await settings.find(destination.instanceId)).appliedDigest === parametersDigest(value)) return
  const owner = { instanceId: destination.instanceId, subaccountId: subaccountsOf(configuration)[0]?.id ?? '' }
  const outcome = await service.applyInstanceParameters(owner, value, 'configuration')
  if (outcome.applied) return
  throw new ConnectivityError('CONFIGURATION_INVALID', `instances.destination.parameters in ${configuration.path}: ${outcome.message}`, {
    details: {
      next: 'what exists already is left alone with existing_destinations_policy: ignore, and overwritten with update; the same for certificates',
    },
  })
}
