import type { Command } from 'commander'
import { ConnectivityError } from '@sallyport/core'
import type { Administration } from '../connector-client/administration.ts'
import { usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { readWholeFile } from './archive-file.ts'
import { segmentOf } from './path-segment.ts'

const path = '/api/v1/configuration/connector/onPremises/truststore'
const inFile = 'backendTrust of its connector'

interface ShownTrust {
  readonly trustAllBackends: boolean
  readonly trustedBackends: readonly {
    readonly alias: string
    readonly subjectDN: string
    readonly issuer: string
    readonly notAfterTimeStamp: number
  }[]
}

/** `connector backend-trust list|add|set|remove`: certificates of back ends that are believed. */
export function addBackendTrustCommand(connector: Command): void {
  const trust = connector.command('backend-trust').description('certificates and authorities of back ends that are trusted')
  const leaf = (name: string, description: string): Command => addAdministrationOptions(trust.command(name).description(description))

  leaf('list', 'every trusted certificate').action(async (_options: unknown, command: Command) => {
    await administering(command, async (administration, printer) => {
      const shown = await administration.get<ShownTrust>(path)
      printer.result(shown, () => describe(shown))
    })
  })

  leaf('add', 'trust the certificates of a file')
    .argument('<file>', 'PEM, with any number of certificates, or DER')
    .action(async (file: string, _options: unknown, command: Command) => {
      const content = readWholeFile(file)
      await administering(command, async (administration, printer) => {
        requireAdministered(administration, inFile, { authorities: [{ file }] })
        const before = new Set((await administration.get<ShownTrust>(path)).trustedBackends.map(({ alias }) => alias))
        await upload(administration, content)
        const added = (await administration.get<ShownTrust>(path)).trustedBackends.filter(({ alias }) => !before.has(alias))
        printer.result({ outcome: 'added', trustedBackends: added }, () =>
          added.map(({ subjectDN }) => `${subjectDN} is trusted.`).join('\n'),
        )
      })
    })

  leaf('set', 'trust every certificate, or only those of the list')
    .option('--all', 'trust whatever a back end shows; for tests')
    .option('--no-all', 'trust only what is in the list')
    .action(async ({ all }: { readonly all?: boolean }, command: Command) => {
      if (all === undefined) throw usageError('name --all or --no-all')
      await administering(command, async (administration, printer) => {
        requireAdministered(administration, inFile, { trustAll: all })
        await administration.send('PATCH', path, { trustAllBackends: all })
        printer.result({ outcome: 'changed', trustAllBackends: all }, () =>
          all ? 'Every certificate is trusted, whoever shows it.' : 'Only certificates of the list are trusted.',
        )
      })
    })

  leaf('remove', 'trust a certificate no longer')
    .argument('<alias>', 'of the certificate, see list')
    .action(async (alias: string, _options: unknown, command: Command) => {
      const segment = segmentOf('certificate', alias)
      await administering(command, async (administration, printer) => {
        requireAdministered(administration, inFile, undefined)
        const { trustedBackends } = await administration.get<ShownTrust>(path)
        if (!trustedBackends.some((each) => each.alias === alias))
          throw new ConnectivityError('NOT_FOUND', `no trusted certificate has the alias "${alias}"`, {
            details: { next: 'sallyport connector backend-trust list' },
          })
        await administration.send('DELETE', `${path}/certificates/${segment}`)
        printer.result({ alias, outcome: 'removed' }, () => `${alias} is not trusted any more.`)
      })
    })
}

/** A certificate that is trusted already is refused, and nothing of its file is taken. */
async function upload(administration: Administration, content: Buffer): Promise<void> {
  try {
    await administration.upload('POST', `${path}/certificates`, [['certificates', content]])
  } catch (error) {
    if (!ConnectivityError.is(error, 'MESSAGE_INVALID')) throw error
    throw new ConnectivityError(error.code, error.message, {
      cause: error,
      details: { next: 'sallyport connector backend-trust list shows what is trusted' },
    })
  }
}

function describe({ trustAllBackends, trustedBackends }: ShownTrust): string {
  const list =
    trustedBackends.length === 0
      ? 'No certificate of a back end is trusted. Add one with: sallyport connector backend-trust add <file>'
      : formatTable(
          ['ALIAS', 'SUBJECT', 'ISSUER', 'UNTIL'],
          trustedBackends.map(({ alias, issuer, notAfterTimeStamp, subjectDN }) => [
            alias,
            subjectDN,
            issuer,
            new Date(notAfterTimeStamp).toISOString().slice(0, 10),
          ]),
        )
  return trustAllBackends ? `Every certificate is trusted, whoever shows it.\n${list}` : list
}
