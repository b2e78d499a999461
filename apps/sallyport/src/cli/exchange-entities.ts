import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type ExchangeFormat, exchangeFormats, type ExistingPolicy, existingPolicies, type ImportedEntry } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { exitCodes, usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { writeFileAtomically } from '../stack/data-folder.ts'
import { withAdministration } from '../stack/destination-clients.ts'
import { addLevelOptions, askedAs, type LevelOptions, levelOf } from './administered-level.ts'
import { createContext } from './context.ts'
import { type EditedKind, nothingToExport } from './edited-collection.ts'
import { readInputBytes } from './property-values.ts'

interface ExportOptions extends LevelOptions {
  readonly format: string
  readonly out?: string
  readonly force?: boolean
}

interface ImportOptions extends LevelOptions {
  readonly existing: string
  readonly review?: boolean
}

/** `export` and `import` of destinations or fragments. */
export function addExchangeCommands(parent: Command, kind: EditedKind): void {
  const { collection } = kind
  addLevelOptions(
    parent
      .command('export')
      .description(`write ${collection} into a file, without their secrets; several make a ZIP archive`)
      .argument('[names...]', 'default: all of the level'),
  )
    .option('--format <format>', exchangeFormats.join(', '), 'json')
    .option('--out <file>', 'where to; - is standard output (default: named after what is in it)')
    .option('--force', 'overwrite the file')
    .action(async (names: readonly string[], options: ExportOptions, command: Command) => {
      const { printer, folder, workingFolder } = createContext(command)
      const format = exchangeFormats.find((known): known is ExchangeFormat => known === options.format)
      if (format === undefined) throw usageError(`--format takes one of ${exchangeFormats.join(', ')}, not "${options.format}"`)
      const file = await withAdministration(folder(), askedAs(options), async (client) =>
        client.export(await levelOf(options, client), collection, { format, ...(names.length === 0 ? {} : { names }) }),
      )
      if (file === undefined) throw nothingToExport(kind, names, options)
      const content = Buffer.from(file.content, 'base64')
      if (options.out === '-') {
        process.stdout.write(content)
        return
      }
      const path = options.out ?? join(workingFolder, file.fileName)
      if (options.force !== true && existsSync(path))
        throw new ConnectivityError('CONFIGURATION_INVALID', `${path} exists already`, {
          details: { next: 'name another file with --out, or add --force' },
        })
      writeFileAtomically(path, content)
      printer.result({ file: path, mediaType: file.mediaType, bytes: content.length }, () => `${path} written; secrets are left out.`)
    })

  addLevelOptions(
    parent
      .command('import')
      .description(`store ${collection} of files: JSON, YAML or .properties`)
      .argument('<files...>', 'files; - is standard input'),
  )
    .option('--existing <policy>', `what happens to those that exist: ${existingPolicies.join(', ')} (keeps their secrets)`, 'fail')
    .option('--review', 'store nothing, and say what would become of them')
    .action(async (files: readonly string[], options: ImportOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const existing = existingPolicies.find((known): known is ExistingPolicy => known === options.existing)
      if (existing === undefined) throw usageError(`--existing takes one of ${existingPolicies.join(', ')}, not "${options.existing}"`)
      const contents: { readonly fileName: string; readonly content: string }[] = []
      for (const file of files) {
        contents.push({ fileName: file === '-' ? '' : basename(file), content: (await readInputBytes(file)).toString('base64') })
      }
      const review = options.review === true
      const entries: (ImportedEntry & { readonly file: string })[] = []
      await withAdministration(folder(), askedAs(options), async (client) => {
        const level = await levelOf(options, client)
        for (const [at, file] of files.entries()) {
          const order = { fileName: '', content: '', ...contents[at], existing, review }
          for (const entry of await client.import(level, collection, order)) entries.push({ file, ...entry })
        }
      })
      printer.result({ review, entries }, () =>
        formatTable(
          ['NAME', review ? 'WOULD BE' : 'OUTCOME', 'REMARK'],
          entries.map(({ name, outcome, problem, missingSecrets }) => [
            name,
            outcome,
            problem ?? (missingSecrets.length === 0 ? '' : `set its secrets: ${missingSecrets.join(', ')}`),
          ]),
        ),
      )
      if (entries.some(({ outcome }) => outcome === 'failed')) process.exitCode = exitCodes.failed
    })
}
