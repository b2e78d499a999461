import { createReadStream } from 'node:fs'
import { ConnectivityError } from '@sallyport/core'
import { usageError } from '../output/exit-code.ts'

/** Where scripts may leave the code. An argument would show it to every user of the machine. */
export const pairingCodeVariable = 'SALLYPORT_PAIRING_CODE'

/** A code has some twenty characters; a file with more is another file. */
const maxCodeBytes = 1_024

/**
 * The code that was given as option, in a file, on standard input or in the environment; nothing when it was not given at all.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when the file cannot be read.
 */
export async function readPairingCode(
  options: { readonly code?: string; readonly codeFile?: string },
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly code?: string }> {
  const { code = environment[pairingCodeVariable], codeFile } = options
  if (codeFile === undefined) return code === undefined ? {} : { code: code.trim() }
  const input = codeFile === '-' ? process.stdin : createReadStream(codeFile)
  let text = ''
  try {
    for await (const chunk of input.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk
      if (text.length > maxCodeBytes) throw usageError(`--code-file "${codeFile}" holds no pairing code`)
    }
  } catch (cause) {
    const { code: reason } = cause as NodeJS.ErrnoException
    if (reason === undefined) throw cause
    throw new ConnectivityError('CONFIGURATION_INVALID', `the pairing code in "${codeFile}" cannot be read (${reason})`, { cause })
  }
  if (text.trim() === '') throw usageError(`--code-file "${codeFile}" is empty`)
  return { code: text.trim() }
}
