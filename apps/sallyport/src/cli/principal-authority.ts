import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import type { Administration } from '../connector-client/administration.ts'
import { usageError } from '../output/exit-code.ts'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { readWholeFile, writeNewFileOf } from './archive-file.ts'
import { readSecretFile } from './secret-input.ts'
import { formatLines } from './simulated-principal.ts'

const path = '/api/v1/configuration/connector/onPremises/ppCaCertificate'

interface ShownAuthority {
  readonly subjectDN: string
  readonly issuer: string
  readonly notBeforeTimeStamp: number
  readonly notAfterTimeStamp: number
}

interface MakeOptions {
  readonly subject?: string
  readonly keySize?: string
  readonly out?: string
}

interface ImportOptions {
  readonly pkcs12?: string
  readonly pkcs12PasswordFile?: string
  readonly signed?: string
}

/** `principal ca show|generate|csr|import|remove`. */
export function addPrincipalAuthorityCommand(principal: Command): void {
  const authority = principal.command('ca').description('the authority that signs the certificates of users')
  const leaf = (name: string, description: string): Command => addAdministrationOptions(authority.command(name).description(description))

  leaf('show', 'the certificate that is used')
    .option('--out <file>', 'write it as DER, for the trust of backends')
    .action(async ({ out }: MakeOptions, command: Command) => {
      await administering(command, async (administration, printer) => {
        const shown = await administration.find<ShownAuthority>(path)
        if (shown === undefined) throw noAuthority()
        if (out !== undefined) await writeNewFileOf(out, () => administration.download('GET', path, undefined, 'application/pkix-cert'))
        printer.result(
          { ...shown, ...(out === undefined ? {} : { file: out }) },
          () => describe(shown) + (out === undefined ? '' : `\nIt is in ${out}.`),
        )
      })
    })

  addMaking(leaf('generate', 'make a self-signed authority with a new key')).action(async (options: MakeOptions, command: Command) => {
    await making(command, options, 'selfsigned', async (administration, body, finish) => {
      await administration.send('POST', path, body)
      const shown = await administration.get<ShownAuthority>(path)
      finish(
        { outcome: 'generated', ...shown },
        () => `${describe(shown)}\nNext: let backends trust it; sallyport principal ca show --out ca.der`,
      )
    })
  })

  addMaking(leaf('csr', 'make a new key, and a request for whoever shall sign it'))
    .option('--out <file>', 'where the request (PEM) goes (default: standard output)')
    .action(async (options: MakeOptions, command: Command) => {
      await making(command, options, 'csr', async (administration, body, finish) => {
        const ask = async (): Promise<string> => (await administration.download('POST', path, body)).toString('utf8')
        // A new key replaces the one of the request before.
        const request = options.out === undefined ? await ask() : await writeNewFileOf(options.out, ask)
        finish({ outcome: 'requested', ...(options.out === undefined ? { request } : { file: options.out }) }, () =>
          options.out === undefined
            ? request
            : `The request is in ${options.out}. Next: sallyport principal ca import --signed <chain.pem>`,
        )
      })
    })

  leaf('import', 'take an authority over: PKCS#12, or the signed answer to a request')
    .option('--pkcs12 <file>', 'certificate, key and chain')
    .option('--pkcs12-password-file <file>', 'file with its password; "-" is standard input')
    .option('--signed <file>', 'PEM of the signed certificate, with its chain')
    .action(async ({ pkcs12, pkcs12PasswordFile, signed }: ImportOptions, command: Command) => {
      if ((pkcs12 === undefined) === (signed === undefined)) throw usageError('name either --pkcs12 <file> or --signed <file>')
      if (pkcs12 !== undefined && pkcs12PasswordFile === undefined) throw usageError('--pkcs12 goes with --pkcs12-password-file <file>')
      const password = pkcs12PasswordFile === undefined ? '' : await readSecretFile('--pkcs12-password-file', pkcs12PasswordFile)
      const file = readWholeFile(pkcs12 ?? signed ?? '')
      await administering(command, async (administration, printer) => {
        requireAuthorityOfAdministration(administration)
        if (pkcs12 !== undefined)
          await administration.upload('PUT', path, [
            ['pkcs12', file],
            ['password', password],
          ])
        else await administration.upload('PATCH', path, [['signedCertificate', file.toString('utf8')]])
        const shown = await administration.get<ShownAuthority>(path)
        printer.result({ outcome: 'imported', ...shown }, () => describe(shown))
      })
    })

  leaf('remove', 'sign no certificates any more').action(async (_options: unknown, command: Command) => {
    await administering(command, async (administration, printer) => {
      requireAdministered(administration, 'principalPropagation', undefined)
      if ((await administration.find(path)) === undefined) throw noAuthority()
      await administration.send('DELETE', path)
      printer.result({ outcome: 'removed' }, () => 'Removed. No user is propagated by certificate any more.')
    })
  })
}

function addMaking(command: Command): Command {
  return command
    .requiredOption('--subject <name>', 'distinguished name, such as "CN=User CA,O=Example"')
    .option('--key-size <bits>', '2048 or 4096')
}

async function making(
  command: Command,
  { keySize, subject }: MakeOptions,
  type: 'selfsigned' | 'csr',
  make: (administration: Administration, body: unknown, finish: (value: unknown, text: () => string) => void) => Promise<void>,
): Promise<void> {
  await administering(command, async (administration, printer) => {
    requireAuthorityOfAdministration(administration)
    const body = { type, subjectDN: subject, ...(keySize === undefined ? {} : { keySize }) }
    await make(administration, body, (value, text) => printer.result(value, text))
  })
}

function requireAuthorityOfAdministration(administration: Administration): void {
  requireAdministered(administration, 'principalPropagation', { ca: { certificate: { file: 'ca.crt' }, key: { file: 'ca.key' } } })
}

function describe({ issuer, notAfterTimeStamp, notBeforeTimeStamp, subjectDN }: ShownAuthority): string {
  const time = (stamp: number): string => new Date(stamp).toISOString()
  return formatLines([
    ['subject', subjectDN],
    ['issuer', issuer],
    ['valid', `${time(notBeforeTimeStamp)} to ${time(notAfterTimeStamp)}`],
  ])
}

function noAuthority(): ConnectivityError {
  return new ConnectivityError('NOT_FOUND', 'there is no authority, so that no user is propagated by certificate', {
    details: { next: 'sallyport principal ca generate --subject "CN=User CA", or import one' },
  })
}
