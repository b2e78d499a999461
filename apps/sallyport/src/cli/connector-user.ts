import { ConnectivityError, systemClock } from '@sallyport/core'
import type { AccessReset } from '@sallyport/connector-administration'
import type { Command } from 'commander'
import { readControlRecords } from '../control/control-record.ts'
import { openAsOwner, serviceOf } from '../systemd/state-owner.ts'
import { createContext } from './context.ts'
import { requireConnector } from './own-connector.ts'

/** Each way back in, with what it does and what holds afterwards. */
const ways: Readonly<Record<AccessReset, readonly [description: string, outcome: string]>> = {
  reset: [
    'forget the local user, and make Administrator anew with a new password',
    'The next start writes the new password to connector/initial-password of the data folder.',
  ],
  'use-file-store': ['let the local user log on again instead of users of directories', 'The directories are kept, but disabled.'],
  'use-basic-authentication': ['ask for user and password again instead of certificates', 'The certificates that were trusted are kept.'],
  'reset-ciphers': ['enable the usual cipher suites of the administration', 'The strong cipher suites are enabled.'],
}

/** `connector user`: for administrators who have locked themselves out of a connector on this machine. */
export function addConnectorUserCommand(connector: Command): void {
  const user = connector.command('user').description('on premise: ways back into an administration that lets nobody in')
  for (const [name, [description, outcome]] of Object.entries(ways)) {
    user
      .command(name)
      .description(description)
      .action(async (_options: unknown, command: Command) => {
        const { folder: open, printer } = createContext(command)
        const folder = open()
        const service = serviceOf(folder)
        const running = (await readControlRecords(folder)).find((record) => /^dev$|connector/.test(record.name))
        if (running !== undefined)
          throw new ConnectivityError('CONFIGURATION_INVALID', `the connector runs (pid ${running.pid}), and would not see the change`, {
            details: {
              next: `${service === undefined ? 'sallyport stop' : `systemctl stop ${service}`}, then this command, then start it again`,
            },
          })
        requireConnector(folder)
        const { requireNoPendingRestore, resetAccess } = await import('@sallyport/connector-administration')
        const { createAuditLog } = await import('@sallyport/cloud-connector')
        const { openConnectorMaterial } = await import('../stack/connector-material.ts')
        const material = openConnectorMaterial(openAsOwner(folder))
        await requireNoPendingRestore(material.store)
        const audit = createAuditLog({ folder: material.auditFolder, key: material.auditKey, clock: systemClock })
        try {
          await resetAccess(material.store, audit, name as AccessReset)
          await audit.flushed()
        } finally {
          await audit.close()
        }
        printer.result(
          { done: name },
          () => `Done. ${outcome} Start the connector again${service === undefined ? '' : `: systemctl start ${service}`}.`,
        )
      })
  }
}
