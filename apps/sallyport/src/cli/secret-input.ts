import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { usageError } from '../output/exit-code.ts'

/** Passwords, tokens and pasted texts have some kilobytes at most; more is another file. */
const maxSecretCharacters = 100_000

/**
 * A secret from a file, or with `-` from standard input, without the line end behind it. `option` is how the command calls it.
 *
 * @throws a usage error when it cannot be read, or is empty.
 */
export async function readSecretFile(option: string, file: string): Promise<string> {
  const text = (file === '-' ? await readStandardInput(option) : readFile(option, file)).replace(/\r?\n$/, '')
  if (text === '') throw usageError(`${option} "${file}" is empty`)
  return text
}

async function readStandardInput(option: string): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk
    if (text.length > maxSecretCharacters) throw usageError(`${option}: standard input holds more than ${maxSecretCharacters} characters`)
  }
  return text
}

function readFile(option: string, file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw usageError(`${option} "${file}" cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
  if (text.length > maxSecretCharacters) throw usageError(`${option} "${file}" holds more than ${maxSecretCharacters} characters`)
  return text
}

/** Asks on the terminal, without showing what is typed; `undefined` where there is none. */
export async function askHidden(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await terminal.question('')
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}
