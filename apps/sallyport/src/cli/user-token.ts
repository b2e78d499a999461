import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import type { Printer } from '../output/printer.ts'
import { readSecretFile } from './secret-input.ts'

/** The token of a user, or of a technical one. */
export interface TokenOptions {
  readonly token?: string
  readonly technical?: boolean
}

/** A token as the REST API takes it. */
export interface GivenToken {
  readonly token: string
  readonly kind: 'business' | 'technical'
}

/** Adds the options. */
export function addTokenOptions(command: Command): Command {
  return command
    .option('--token <token>', 'JSON Web Token: "-" reads it from standard input, @<file> from a file')
    .option('--technical', 'it came as that of a technical user')
}

/** The token that was given, if any. Everybody on the machine sees the arguments of a command while it runs, so one that stands there is warned of. */
export async function readToken({ technical, token: given }: TokenOptions, printer: Printer): Promise<GivenToken | undefined> {
  if (given === undefined) {
    if (technical === true) throw usageError('--technical goes with --token')
    return undefined
  }
  const kind = technical === true ? 'technical' : 'business'
  const file = given === '-' ? '-' : given.startsWith('@') ? given.slice(1) : undefined
  if (file !== undefined) return { token: (await readSecretFile('--token', file)).trim(), kind }
  printer.note('warning: the token was an argument, which others can see; better: --token @<file>, or - for standard input')
  return { token: given, kind }
}
