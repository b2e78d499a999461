import { malformed } from '../http/answer.ts'
import { maxExchangeFileBytes } from '../limits.ts'
import { parseJsonFile } from './json-file.ts'
import { parsePropertiesFile } from './properties-file.ts'
import type { FileRecord } from './removed-secret.ts'
import { parseYamlFile } from './yaml-file.ts'

/** A file as somebody hands it in. The name decides the format only by its ending; there may be none. */
export interface ImportedFile {
  readonly name?: string
  readonly content: Uint8Array
}

/**
 * Reads the destinations or fragments of a file: JSON by its ending or its first character, YAML by its ending, everything else (`.properties`, `.props`,
 * `.txt`, no ending) as a `.properties` file. Whether they can be stored is for others to check.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for what is too large or cannot be read; the message quotes nothing of the file.
 */
export function readImportFile({ name = '', content }: ImportedFile): readonly FileRecord[] {
  if (content.length > maxExchangeFileBytes) throw malformed(`A file to import must not be larger than ${maxExchangeFileBytes} bytes`)
  if (zipBeginnings.some((beginning) => beginning.equals(content.subarray(0, beginning.length))))
    throw malformed('The file is a ZIP archive; unpack it, and import the files that are in it')
  const text = textOf(content)
  const ending = /\.([^./\\]*)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  if (ending === 'json' || (!knownTextEnding.has(ending) && /^\s*[[{]/.test(text))) return parseJsonFile(text)
  if (ending === 'yaml' || ending === 'yml') return parseYamlFile(text)
  const record = parsePropertiesFile(text)
  if (Object.keys(record.properties).length === 0) throw malformed('The file holds no properties')
  return [record]
}

/** Of an archive with files, and of one without. */
const zipBeginnings: readonly Buffer[] = [Buffer.from('PK\x03\x04', 'latin1'), Buffer.from('PK\x05\x06', 'latin1')]

const knownTextEnding: ReadonlySet<string> = new Set(['yaml', 'yml', 'properties', 'props'])

/** UTF-8, with or without byte order mark; what is not that is ISO 8859-1, as Java writes. */
function textOf(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    return Buffer.from(content).toString('latin1')
  }
}
