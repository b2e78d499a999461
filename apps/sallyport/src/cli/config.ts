import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { ConnectivityError } from '@sallyport/core'
import { exitCodes, usageError } from '../output/exit-code.ts'
import { createContext } from './context.ts'
import { addMigrateCommand } from './migrate-from-scc.ts'

/** Name of the file that is read when none is named. */
const configurationFileName = 'sallyport.yaml'

/** `config validate`, `config schema` and `config migrate-from-scc`. */
export function addConfigCommand(program: Command): void {
  const config = program.command('config').description('check the configuration file')
  addMigrateCommand(config)
  config
    .command('validate')
    .description('list every problem of a configuration file with its line')
    .argument('[file]', `default: ${configurationFileName}`)
    .option('--config <file>', 'the same, as the commands that read a configuration name it')
    .action(async (argument: string | undefined, options: { readonly config?: string }, command: Command) => {
      if (argument !== undefined && options.config !== undefined && argument !== options.config) throw usageError('name one file')
      const file = argument ?? options.config
      const { formatProblems, readConfiguration } = await import('../configuration/read-configuration.ts')
      const { printer, workingFolder } = createContext(command)
      const path = resolve(workingFolder, file ?? configurationFileName)
      if (file === undefined && !existsSync(path)) throw noConfiguration('name a file; sallyport config schema describes it')
      const result = readConfiguration(path)
      const problems = 'problems' in result ? result.problems : []
      printer.result({ file: path, valid: problems.length === 0, problems }, () =>
        'configuration' in result
          ? `${path} is valid: ${result.configuration.subaccounts.length} subaccounts, ${result.configuration.connectors.length} connectors, ${result.configuration.connectors.reduce((sum, entry) => sum + entry.mappings.length, 0)} mappings.`
          : formatProblems(path, problems),
      )
      if (problems.length > 0) process.exitCode = exitCodes.failed
    })
  config
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .action(async () => {
      const { z } = await import('zod')
      const { configurationSchema } = await import('../configuration/schema.ts')
      const schema = { title: 'Sallyport configuration', ...z.toJSONSchema(configurationSchema, { io: 'input', unrepresentable: 'any' }) }
      process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`)
    })
}

/** The file that a command reads: the named one, or the one in the working folder. */
export function findConfigurationFile(workingFolder: string, named: string | undefined): string | undefined {
  if (named !== undefined) return resolve(workingFolder, named)
  const usual = join(workingFolder, configurationFileName)
  return existsSync(usual) ? usual : undefined
}

/** There is no file to read, which every command that needs one says and ends with alike. */
export function noConfiguration(next: string): ConnectivityError {
  return new ConnectivityError('CONFIGURATION_INVALID', `there is no ${configurationFileName} here`, { details: { next } })
}
