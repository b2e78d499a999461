import type { Command } from 'commander'
import { addAdministrationOptions } from './administering.ts'
import { addChannelChangeCommands } from './channel-change.ts'
import { addChannelListCommand } from './channel-list.ts'
import { addSubaccountOption } from './chosen-subaccount.ts'

/** `channel list|add|remove|enable|disable`. */
export function addChannelCommand(parent: Command): void {
  const channel = parent.command('channel').description('service channels: ports of the connector that lead to services of the cloud side')
  const leaf = (name: string): Command => addSubaccountOption(addAdministrationOptions(channel.command(name)))
  addChannelListCommand(leaf('list'))
  addChannelChangeCommands(leaf)
}
