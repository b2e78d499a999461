import { relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { createSuggestions } from '../output/advice.ts'
import { createPrinter, type Printer } from '../output/printer.ts'
import { openDataFolder, type DataFolder } from '../stack/data-folder.ts'

/** What every command is given. */
export interface CommandContext {
  readonly printer: Printer
  /** Opened on first use: `help` and `config schema` must not make a folder. */
  readonly folder: () => DataFolder
  readonly workingFolder: string
  readonly environment: NodeJS.ProcessEnv
}

/** Options that every command understands. */
interface GlobalOptions {
  readonly json?: boolean
  readonly data?: string
}

export function createContext(command: Command): CommandContext {
  const options = command.optsWithGlobals<GlobalOptions>()
  const environment = process.env
  let folder: DataFolder | undefined
  return {
    printer: createPrinter({
      json: options.json ?? false,
      stdout: process.stdout,
      stderr: process.stderr,
      colour: process.stdout.isTTY && environment['NO_COLOR'] === undefined,
      suggest: createSuggestions(commandName(), options.data),
    }),
    folder: () => (folder ??= openDataFolder(resolve(options.data ?? environment['SALLYPORT_DATA'] ?? '.sallyport'))),
    workingFolder: process.cwd(),
    environment,
  }
}

/** How this command was called, so that a suggested next step can be typed as it stands: `sallyport`, or `node <path>` inside a checkout. */
export function commandName(script: string | undefined = process.argv[1], folder: string = process.cwd()): string {
  if (script === undefined || !script.endsWith('main.js') || script.includes('node_modules')) return 'sallyport'
  if (process.env['npm_lifecycle_event'] !== undefined) return 'npx -y pnpm@12 -s sallyport'
  return `node ${relative(folder, script)}`
}
