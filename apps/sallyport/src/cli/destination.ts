import type { Command } from 'commander'
import { addCheckCommand } from './destination-check.ts'
import { addFindCommand } from './destination-find.ts'
import { addTemplateCommands } from './destination-templates.ts'
import { destinations } from './edited-collection.ts'
import { addLabelsCommand } from './entity-labels.ts'
import { addExchangeCommands } from './exchange-entities.ts'
import { addReadCommands } from './read-entities.ts'
import { addWriteCommands } from './write-entities.ts'

/** `destination list|get|find|set|delete|duplicate|labels|check|import|export|from-key|deploy`. */
export function addDestinationCommand(program: Command): void {
  const destination = program.command('destination').description('administer, find and check destinations')
  addReadCommands(destination, destinations)
  addFindCommand(destination)
  addWriteCommands(destination, destinations)
  addLabelsCommand(destination, destinations)
  addCheckCommand(destination)
  addExchangeCommands(destination, destinations)
  addTemplateCommands(destination)
}
