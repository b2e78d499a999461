import type { Command } from 'commander'
import { fragments } from './edited-collection.ts'
import { addLabelsCommand } from './entity-labels.ts'
import { addExchangeCommands } from './exchange-entities.ts'
import { addReadCommands } from './read-entities.ts'
import { addWriteCommands } from './write-entities.ts'

/** `fragment list|get|set|delete|duplicate|labels|import|export`. */
export function addFragmentCommand(program: Command): void {
  const fragment = program.command('fragment').description('administer fragments, which are laid over destinations')
  addReadCommands(fragment, fragments)
  addWriteCommands(fragment, fragments)
  addLabelsCommand(fragment, fragments)
  addExchangeCommands(fragment, fragments)
}
