import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import type { Administration } from '../connector-client/administration.ts'
import { addAdministrationOptions, administering } from './administering.ts'
import { readWholeFile, writeNewFileOf } from './archive-file.ts'
import { readSecretFile } from './secret-input.ts'

const path = '/api/v1/configuration/backup'

interface BackupOptions {
  readonly backupPasswordFile: string
}

/** `connector backup` and `connector restore`. */
export function addConnectorBackupCommands(connector: Command): void {
  const leaf = (name: string, description: string): Command =>
    addAdministrationOptions(connector.command(name).description(description).argument('<file>', 'ZIP archive')).requiredOption(
      '--backup-password-file <file>',
      'file with the password that protects the keys in the archive; "-" is standard input',
    )
  leaf('backup', 'the whole configuration of an administered connector, with its keys').action(
    async (file: string, { backupPasswordFile }: BackupOptions, command: Command) => {
      const password = await readSecretFile('--backup-password-file', backupPasswordFile)
      await administering(command, async (administration, printer) => {
        refuseFile(administration)
        const archive = await writeNewFileOf(file, () => administration.download('POST', path, { password }))
        printer.result({ file, bytes: archive.length }, () => `${file} holds the configuration. Without its password nobody opens it.`)
      })
    },
  )
  leaf('restore', 'replace the whole configuration by that of an archive; the connector starts again').action(
    async (file: string, { backupPasswordFile }: BackupOptions, command: Command) => {
      const password = await readSecretFile('--backup-password-file', backupPasswordFile)
      const archive = readWholeFile(file)
      await administering(command, async (administration, printer) => {
        refuseFile(administration)
        await administration.upload('PUT', path, [
          ['backup', archive],
          ['password', password],
        ])
        printer.result({ file, outcome: 'restored' }, () =>
          [
            `${file} is taken over at the next start. The connector ends now with status 42, for whatever starts it again.`,
            'Where nothing does: sallyport serve connector. The installation that the archive is of must not run any more.',
          ].join('\n'),
        )
      })
    },
  )
}

/** A configuration that stands in a file is backed up as a file. */
function refuseFile({ session: { configuredBy } }: Administration): void {
  if (configuredBy === undefined) return
  throw new ConnectivityError(
    'ACCESS_DENIED',
    `${configuredBy} configures this connector, and there is nothing else to back up or to restore`,
    {
      details: { next: `copy ${configuredBy} and the files that it names; the keys of this installation are in its data folder` },
    },
  )
}
