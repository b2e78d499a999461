#!/usr/bin/env node
/**
 * The `sallyport` command: local stack, servers, cloud connector and tools. This file builds the command tree and turns errors into exit codes.
 *
 * @packageDocumentation
 */
import { createProgram } from './cli/program.ts'
import { createPrinter } from './output/printer.ts'
import { exitCodeOf, exitCodes } from './output/exit-code.ts'

const end = process.argv.indexOf('--')
const json = (end < 0 ? process.argv : process.argv.slice(0, end)).includes('--json')
const program = createProgram({ json })
try {
  await program.parseAsync(process.argv)
} catch (error) {
  const commander = error as { readonly code?: string; readonly exitCode?: number }
  if (commander.code?.startsWith('commander.') === true) {
    // Commander has printed its own message; help and version are no errors.
    process.exitCode = commander.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  } else {
    createPrinter({
      json,
      stdout: process.stdout,
      stderr: process.stderr,
      colour: process.stderr.isTTY && process.env['NO_COLOR'] === undefined,
    }).error(error)
    process.exitCode = exitCodeOf(error)
  }
}
