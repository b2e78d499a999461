import { type ExchangeFormat, isSecretProperty } from '@sallyport/admin-api'
import { formatJsonFile } from './json-file.ts'
import { formatPropertiesFile } from './properties-file.ts'
import { formatYamlFile } from './yaml-file.ts'
import { createZipArchive } from './zip-archive.ts'

/** A file to be handed out. */
export interface ExportedFile {
  readonly name: string
  readonly mediaType: string
  readonly content: Buffer
}

const mediaTypes: Readonly<Record<ExchangeFormat, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  properties: 'text/plain; charset=us-ascii',
}

/** Writes destinations or fragments without their secrets: one as a file named after it, several as a ZIP archive of such files. */
export function createExport(
  entities: readonly Readonly<Record<string, string>>[],
  options: { readonly format: ExchangeFormat; readonly nowMs: number },
): ExportedFile {
  const files = entities.map((properties) => exportOne(properties, options))
  const [only] = files
  if (files.length === 1 && only !== undefined) return only
  return { name: 'export.zip', mediaType: 'application/zip', content: createZipArchive(withOwnNames(files), options.nowMs) }
}

function exportOne(
  properties: Readonly<Record<string, string>>,
  { format, nowMs }: { readonly format: ExchangeFormat; readonly nowMs: number },
): ExportedFile {
  const entries = Object.entries(properties).toSorted(([a], [b]) => rank(a) - rank(b))
  const shown = entries.filter(([name]) => !isSecretProperty(name))
  const removed = entries.map(([name]) => name).filter((name) => isSecretProperty(name))
  const text = {
    json: () => formatJsonFile(shown),
    yaml: () => formatYamlFile(shown),
    properties: () => formatPropertiesFile(shown, { removed, nowMs }),
  }[format]()
  const name = properties['FragmentName'] ?? properties['Name'] ?? ''
  return { name: `${fileNameOf(name)}.${format}`, mediaType: mediaTypes[format], content: Buffer.from(text, 'utf8') }
}

/** What says which entity it is comes first, the rest as it was stored. */
function rank(name: string): number {
  const at = ['Type', 'Name', 'FragmentName'].indexOf(name)
  return at < 0 ? Number.MAX_SAFE_INTEGER : at
}

/** A name that leads nowhere else on any system: what is not harmless is percent-encoded. */
function fileNameOf(name: string): string {
  return (
    encodeURIComponent(name)
      .replace(/[*'()!~]/g, (character) => `%${character.charCodeAt(0).toString(16)}`)
      .replace(/^\./, '%2e') || 'unnamed'
  )
}

/** Names that differ in case only are one file on some systems. */
function withOwnNames(files: readonly ExportedFile[]): readonly ExportedFile[] {
  const taken = new Set<string>()
  return files.map((file) => {
    let { name } = file
    for (let number = 2; taken.has(name.toLowerCase()); number += 1) name = file.name.replace(/(\.[a-z]+)$/, `-${number}$1`)
    taken.add(name.toLowerCase())
    return { ...file, name }
  })
}
