import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { findRunning } from '../control/control-client.ts'
import { usageError } from '../output/exit-code.ts'
import { addAdministrationOptions, type AdministrationOptions, administering } from './administering.ts'
import { openAsOwner } from '../systemd/state-owner.ts'
import { version } from '../version.ts'
import { createContext } from './context.ts'
import { requireConnector } from './own-connector.ts'

/** `connector change-role`: the first role of a connector that runs, or another one of one that is stopped. */
export function addConnectorRoleCommand(connector: Command): void {
  addAdministrationOptions(
    connector
      .command('change-role')
      .description('give a new connector its role of master or shadow; or another one to a connector that is stopped')
      .argument('<role>', 'master or shadow'),
  ).action(async (role: string, options: AdministrationOptions, command: Command) => {
    if (role !== 'master' && role !== 'shadow') throw usageError(`"${role}" is no role; there are master and shadow`)
    const { printer, folder } = createContext(command)
    if (options.url !== undefined || (await findRunning(folder(), 'connector')) !== undefined) return await chooseFirstRole(role, command)
    requireConnector(folder())
    const { changeRole, requireNoPendingRestore } = await import('@sallyport/connector-administration')
    const { openConnectorMaterial } = await import('../stack/connector-material.ts')
    const { store } = openConnectorMaterial(openAsOwner(folder()))
    await requireNoPendingRestore(store)
    await changeRole(store, role, version)
    printer.result({ role }, () => `The connector starts as ${role}.`)
  })
}

async function chooseFirstRole(role: 'master' | 'shadow', command: Command): Promise<void> {
  await administering(command, async (administration, printer) => {
    const { haRole } = administration.session
    if (haRole !== 'undefined' && haRole !== role)
      throw new ConnectivityError(
        'CONFIGURATION_INVALID',
        `the connector is running as ${haRole}; its role is changed by the administration API`,
        {
          details: { next: 'sallyport stop, or POST /api/v1/configuration/connector/ha/master/state' },
        },
      )
    if (haRole === 'undefined') await administration.send('POST', '/api/v1/configuration/connector/haRole', role)
    printer.result({ role }, () =>
      role === 'master'
        ? 'The connector is master. Next: sallyport connector subaccount add --authentication-data <file>'
        : 'The connector is shadow, and takes its configuration from a master.',
    )
  })
}
