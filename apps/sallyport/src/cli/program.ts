import { Command } from 'commander'
import { version } from '../version.ts'
import { addAuditCommand } from './audit.ts'
import { addBindCommand } from './bind.ts'
import { addCertificateCommand } from './certificate.ts'
import { addChannelCommand } from './channel.ts'
import { addConfigCommand } from './config.ts'
import { addConformanceCommand } from './conformance.ts'
import { addConnectorCommand } from './connector.ts'
import { addCurlCommand } from './curl.ts'
import { addDbCommand } from './db.ts'
import { addDestinationCommand } from './destination.ts'
import { addDevCommand } from './dev.ts'
import { addDoctorCommand } from './doctor.ts'
import { addExecCommand } from './exec.ts'
import { addFragmentCommand } from './fragment.ts'
import { addInstanceCommand } from './instance.ts'
import { addMappingCommand } from './mapping.ts'
import { addPrincipalCommand } from './principal.ts'
import { addResourceCommand } from './resource.ts'
import { addServeCommand } from './serve.ts'
import { addStatusCommand } from './status.ts'
import { addStopCommand } from './stop.ts'
import { addTokenCommand } from './token.ts'
import { addTrustCommand } from './trust.ts'

/** The command tree. Nothing runs until it is parsed. With `json`, usage errors are one JSON document on standard output. */
export function createProgram(options: { readonly json: boolean }): Command {
  const program = new Command('sallyport')
    .description('Open, self-hosted connectivity from the cloud to on-premise systems.')
    .version(version, '-V, --version', 'print the version')
    .option('--json', 'print one JSON document instead of text')
    .option('--data <folder>', 'folder of this installation (default: .sallyport, or SALLYPORT_DATA)')
    .enablePositionalOptions()
    .showHelpAfterError('Try "sallyport help" or "sallyport help <command>".')
  for (const add of commands) add(program)
  for (const command of everyCommand(program)) prepare(command, options.json)
  return program
}

/** In the order in which help lists them. */
const commands = [
  addDevCommand,
  addStatusCommand,
  addStopCommand,
  addExecCommand,
  addBindCommand,
  addCurlCommand,
  addTokenCommand,
  addDestinationCommand,
  addFragmentCommand,
  addInstanceCommand,
  addCertificateCommand,
  addTrustCommand,
  addConnectorCommand,
  // Below `connector` as well.
  addMappingCommand,
  addResourceCommand,
  addChannelCommand,
  addPrincipalCommand,
  addServeCommand,
  addDbCommand,
  addAuditCommand,
  addConfigCommand,
  addConformanceCommand,
  addDoctorCommand,
]

function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap((child) => everyCommand(child))]
}

/** Errors are thrown, not ended with process.exit; `--json` and `--data` may stand before or behind the command. */
function prepare(command: Command, json: boolean): void {
  command.exitOverride()
  if (command.parent !== null) {
    command.option('--json', 'print one JSON document instead of text').option('--data <folder>', 'folder of this installation')
  }
  if (json)
    command.configureOutput({
      // The version is printed as JSON where commands are run; help stays text.
      writeOut: (text) => void (text.trim() === version || process.stdout.write(text)),
      outputError: (text) => void process.stdout.write(`${JSON.stringify({ error: { code: 'USAGE', message: sentenceOf(text) } })}\n`),
      // What commander adds for people: the help of a command that lacks its subcommand, which is told as an error below, and advice.
      writeErr: () => {},
    })
}

/** Commander begins its messages for people with a word that JSON says already. */
function sentenceOf(text: string): string {
  return text.trim().replace(/^error: /, '')
}
