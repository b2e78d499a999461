import { exitCodeOf, exitCodes } from '../output/exit-code.ts'
import { createSuggestions } from '../output/advice.ts'
import { createPrinter } from '../output/printer.ts'
import { version } from '../version.ts'
import { commandName } from './context.ts'
import { createProgram } from './program.ts'

/** Runs one command and sets the exit code of the process. `argv` as `process.argv` has it. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  const end = argv.indexOf('--')
  const words = end < 0 ? argv : argv.slice(0, end)
  const json = words.includes('--json')
  try {
    await createProgram({ json }).parseAsync(argv)
  } catch (error) {
    const commander = error as { readonly code?: string; readonly exitCode?: number }
    if (commander.code?.startsWith('commander.') === true) {
      // Commander has printed its own message; help and version are no errors. Only a missing subcommand is answered with help alone.
      if (json && commander.code === 'commander.help')
        process.stdout.write(`${JSON.stringify({ error: { code: 'USAGE', message: 'name a command; "sallyport help" lists them' } })}\n`)
      if (json && commander.code === 'commander.version') process.stdout.write(`${JSON.stringify({ version })}\n`)
      process.exitCode = commander.exitCode === 0 ? exitCodes.ok : exitCodes.usage
      return
    }
    createPrinter({
      json,
      stdout: process.stdout,
      stderr: process.stderr,
      colour: process.stderr.isTTY && process.env['NO_COLOR'] === undefined,
      suggest: createSuggestions(commandName(), dataOf(words)),
    }).error(error)
    process.exitCode = exitCodeOf(error)
  }
}

/** The last `--data`, wherever it stands. */
function dataOf(words: readonly string[]): string | undefined {
  const at = words.findLastIndex((word) => word === '--data' || word.startsWith('--data='))
  return words[at] === '--data' ? words[at + 1] : words[at]?.slice('--data='.length)
}
