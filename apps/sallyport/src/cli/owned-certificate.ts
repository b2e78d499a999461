import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import type { Administration } from '../connector-client/administration.ts'
import { usageError } from '../output/exit-code.ts'
import type { Printer } from '../output/printer.ts'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { readWholeFile, writeNewFileOf } from './archive-file.ts'
import { readSecretFile } from './secret-input.ts'
import { formatLines } from './simulated-principal.ts'

/** Which certificate of the connector towards back ends, and how people speak of it. */
export interface OwnedCertificatePlace {
  readonly path: string
  /** Above `show`, `generate` and the others, such as `principal ca`. */
  readonly command: string
  /** Of the group of commands. */
  readonly description: string
  /** Such as `the authority`. */
  readonly noun: string
  /** For help. */
  readonly exampleSubject: string
  /** Who has to trust it. */
  readonly whoTrusts: string
  /** What is not possible without it. */
  readonly without: string
  /** Where it stands in a file that configures the connector, and how. */
  readonly inFile: { readonly where: string; readonly entry: unknown }
}

interface ShownCertificate {
  readonly subjectDN: string
  readonly issuer: string
  readonly notBeforeTimeStamp: number
  readonly notAfterTimeStamp: number
}

interface MakeOptions {
  readonly subject?: string
  readonly keySize?: string
  readonly validity?: string
  readonly out?: string
}

interface ImportOptions {
  readonly pkcs12?: string
  readonly pkcs12PasswordFile?: string
  readonly signed?: string
}

/** `show|generate|csr|import|remove` of one certificate. */
export function addOwnedCertificateCommands(parent: Command, place: OwnedCertificatePlace): void {
  const { command: commands, inFile, noun, path, whoTrusts, without } = place
  const [name = ''] = commands.split(' ').slice(-1)
  const group = parent.command(name).description(place.description)
  const leaf = (verb: string, description: string): Command => addAdministrationOptions(group.command(verb).description(description))
  const addMaking = (command: Command): Command =>
    command
      .requiredOption('--subject <name>', `distinguished name, such as "${place.exampleSubject}"`)
      .option('--key-size <bits>', '2048 or 4096')
  const missing = (): ConnectivityError =>
    new ConnectivityError('NOT_FOUND', `there is no ${noun}, so that ${without}`, {
      details: { next: `sallyport ${commands} generate --subject "${place.exampleSubject}", or import one` },
    })
  /** Makes something by a request, where the administration decides. */
  const making = async (
    command: Command,
    { keySize, subject, validity }: MakeOptions,
    type: 'selfsigned' | 'csr',
    make: (administration: Administration, body: unknown, printer: Printer) => Promise<void>,
  ): Promise<void> => {
    await administering(command, async (administration, printer) => {
      requireAdministered(administration, inFile.where, inFile.entry)
      const life = validity === undefined ? {} : { validityInDays: validity }
      await make(administration, { type, subjectDN: subject, ...(keySize === undefined ? {} : { keySize }), ...life }, printer)
    })
  }

  leaf('show', 'the certificate that is used')
    .option('--out <file>', 'write it as DER, for the trust of backends')
    .action(async ({ out }: MakeOptions, command: Command) => {
      await administering(command, async (administration, printer) => {
        const shown = await administration.find<ShownCertificate>(path)
        if (shown === undefined) throw missing()
        if (out !== undefined) await writeNewFileOf(out, () => administration.download('GET', path, undefined, 'application/pkix-cert'))
        printer.result(
          { ...shown, ...(out === undefined ? {} : { file: out }) },
          () => describe(shown) + (out === undefined ? '' : `\nIt is in ${out}.`),
        )
      })
    })

  addMaking(leaf('generate', 'make a self-signed one with a new key'))
    .option('--validity <days>', 'how long it is valid (default: a year)')
    .action(async (options: MakeOptions, command: Command) => {
      await making(command, options, 'selfsigned', async (administration, body, printer) => {
        await administration.send('POST', path, body)
        const shown = await administration.get<ShownCertificate>(path)
        printer.result(
          { outcome: 'generated', ...shown },
          () => `${describe(shown)}\nNext: let ${whoTrusts} trust it; sallyport ${commands} show --out ${name}.der`,
        )
      })
    })

  addMaking(leaf('csr', 'make a new key, and a request for whoever shall sign it'))
    .option('--out <file>', 'where the request (PEM) goes (default: standard output)')
    .action(async (options: MakeOptions, command: Command) => {
      await making(command, options, 'csr', async (administration, body, printer) => {
        const ask = async (): Promise<string> => (await administration.download('POST', path, body)).toString('utf8')
        // A new key replaces the one of the request before.
        const request = options.out === undefined ? await ask() : await writeNewFileOf(options.out, ask)
        printer.result({ outcome: 'requested', ...(options.out === undefined ? { request } : { file: options.out }) }, () =>
          options.out === undefined ? request : `The request is in ${options.out}. Next: sallyport ${commands} import --signed <chain.pem>`,
        )
      })
    })

  leaf('import', 'take one over: PKCS#12, or the signed answer to a request')
    .option('--pkcs12 <file>', 'certificate, key and chain')
    .option('--pkcs12-password-file <file>', 'file with its password; "-" is standard input')
    .option('--signed <file>', 'PEM of the signed certificate, with its chain')
    .action(async ({ pkcs12, pkcs12PasswordFile, signed }: ImportOptions, command: Command) => {
      if ((pkcs12 === undefined) === (signed === undefined)) throw usageError('name either --pkcs12 <file> or --signed <file>')
      if (pkcs12 !== undefined && pkcs12PasswordFile === undefined) throw usageError('--pkcs12 goes with --pkcs12-password-file <file>')
      const password = pkcs12PasswordFile === undefined ? '' : await readSecretFile('--pkcs12-password-file', pkcs12PasswordFile)
      const file = readWholeFile(pkcs12 ?? signed ?? '')
      await administering(command, async (administration, printer) => {
        requireAdministered(administration, inFile.where, inFile.entry)
        if (pkcs12 !== undefined)
          await administration.upload('PUT', path, [
            ['pkcs12', file],
            ['password', password],
          ])
        else await administration.upload('PATCH', path, [['signedCertificate', file.toString('utf8')]])
        const shown = await administration.get<ShownCertificate>(path)
        printer.result({ outcome: 'imported', ...shown }, () => describe(shown))
      })
    })

  leaf('remove', `use no ${noun} any more`).action(async (_options: unknown, command: Command) => {
    await administering(command, async (administration, printer) => {
      requireAdministered(administration, inFile.where, undefined)
      if ((await administration.find(path)) === undefined) throw missing()
      await administration.send('DELETE', path)
      printer.result({ outcome: 'removed' }, () => `Removed; now ${without}.`)
    })
  })
}

function describe({ issuer, notAfterTimeStamp, notBeforeTimeStamp, subjectDN }: ShownCertificate): string {
  const time = (stamp: number): string => new Date(stamp).toISOString()
  return formatLines([
    ['subject', subjectDN],
    ['issuer', issuer],
    ['valid', `${time(notBeforeTimeStamp)} to ${time(notAfterTimeStamp)}`],
  ])
}
