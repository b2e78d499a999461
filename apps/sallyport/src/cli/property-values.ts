import { createReadStream } from 'node:fs'
import { ConnectivityError } from '@sallyport/core'
import { usageError } from '../output/exit-code.ts'
import { parseObject } from '../stack/tokens.ts'

/** No value of a property is longer, and no destination either. */
const maxInputBytes = 1_048_576

/** `Name=Value` words as an object. */
export function parsePairs(pairs: readonly string[]): Record<string, string> {
  const properties = new Map<string, string>()
  for (const [name, value] of pairs.map((pair) => split(pair, 'Name=Value'))) {
    if (properties.has(name)) throw usageError(`"${name}" is given twice`)
    properties.set(name, value)
  }
  return Object.fromEntries(properties)
}

/** Properties whose values come from files, `name=file` or `name=-` for standard input; a final line break does not count. */
export async function readSecrets(words: readonly string[]): Promise<Record<string, string>> {
  const sources = words.map((word) => split(word, 'Name=File'))
  if (sources.filter(([, file]) => file === '-').length > 1) throw usageError('only one --secret can come from standard input')
  const entries: [string, string][] = []
  for (const [name, file] of sources) entries.push([name, (await readInput(file)).replace(/\r?\n$/, '')])
  return Object.fromEntries(entries)
}

/** A JSON object from standard input. */
export async function readObject(what: string): Promise<Record<string, unknown>> {
  const record = parseObject(await readInput('-'))
  if (Object.keys(record).length === 0) throw usageError(`standard input is not a JSON object with the properties of a ${what}`)
  return record
}

/** The text of a file; `-` is standard input. @throws ConnectivityError `CONFIGURATION_INVALID` when it cannot be read. */
export async function readInput(file: string): Promise<string> {
  return (await readInputBytes(file)).toString('utf8')
}

/** As {@link readInput}, for files that may not be text. */
export async function readInputBytes(file: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of (file === '-' ? process.stdin : createReadStream(file)) as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > maxInputBytes) throw usageError(`"${file}" is larger than ${maxInputBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (cause) {
    const { code: reason } = cause as NodeJS.ErrnoException
    if (reason === undefined) throw cause
    throw new ConnectivityError('CONFIGURATION_INVALID', `"${file}" cannot be read (${reason})`, { cause })
  }
  return Buffer.concat(chunks)
}

function split(word: string, form: string): [string, string] {
  const equals = word.indexOf('=')
  if (equals < 1) throw usageError(`"${word}" is not ${form}`)
  return [word.slice(0, equals), word.slice(equals + 1)]
}
