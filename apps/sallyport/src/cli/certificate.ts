import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { writeFileAtomically } from '../stack/data-folder.ts'
import { withDestinationApi, type DestinationApi } from '../stack/destination-api.ts'
import { openInstances } from '../stack/instances.ts'
import { createContext } from './context.ts'
import { segmentOf } from './path-segment.ts'

interface LevelOptions {
  readonly level: string
  readonly tenant?: string
}

interface GenerateOptions extends LevelOptions {
  readonly cn?: string
  readonly days?: string
  readonly months?: string
  readonly years?: string
  readonly renew?: boolean
  readonly passwordFile?: string
  readonly csr?: string
  readonly replace?: boolean
}

interface ExportOptions extends LevelOptions {
  readonly out?: string
  readonly public?: boolean
  readonly force?: boolean
}

/** A certificate as the service returns it. */
interface CertificateEntry {
  readonly Name: string
  readonly Content: string
}

/** `certificate list|import|generate|export|renew|delete`: over the REST API, with the binding of the stack. */
export function addCertificateCommand(program: Command): void {
  const certificate = program.command('certificate').description('administer certificates and key stores of destinations')
  const withLevel = (command: Command): Command =>
    command
      .option('--level <level>', 'subaccount or instance', 'subaccount')
      .option('--tenant <subaccount>', 'another subaccount than that of the binding')

  withLevel(certificate.command('list').description('list certificates, and when they end')).action(
    async (options: LevelOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const collection = collectionOf(options)
      const body = await withDestinationApi(
        folder(),
        options,
        async (api) => (await api({ method: 'GET', path: collection, attempt: 'listing the certificates' })).body,
      )
      const { readKeystore } = await import('@sallyport/keystore')
      const listed = await Promise.all((body as readonly CertificateEntry[]).map((entry) => describeFile(entry, readKeystore)))
      printer.result(listed, () =>
        listed.length === 0
          ? `There are no certificates on the ${options.level} level. Make one with: sallyport certificate generate client.p12 --cn client`
          : formatTable(
              ['NAME', 'SUBJECT', 'ENDS', 'PRIVATE KEY'],
              listed.map(({ name, subject, endsAt, privateKey }) => [name, subject ?? '(locked)', endsAt?.slice(0, 10) ?? '', privateKey]),
            ),
      )
    },
  )

  withLevel(certificate.command('import').description('upload a file, replacing the one of that name').argument('<file>'))
    .option('--name <name>', 'name in the service (default: that of the file)')
    .action(async (file: string, options: LevelOptions & { readonly name?: string }, command: Command) => {
      const { printer, folder } = createContext(command)
      const name = options.name ?? basename(file)
      const content = readInput(file)
      if (content.length === 0) throw new ConnectivityError('MESSAGE_INVALID', `"${file}" is empty`)
      const body = { Name: name, Type: 'CERTIFICATE', Content: content.toString('base64') }
      const outcome = await withDestinationApi(folder(), options, (api) => store(api, collectionOf(options), { name, body, replace: true }))
      printer.result({ name, outcome }, () => `${name} ${outcome}.`)
    })

  withLevel(
    certificate.command('generate').description('generate a certificate with its key; the extension decides the format').argument('<name>'),
  )
    .option('--cn <name>', 'common name of the subject (default: the name of the file)')
    .option('--days <count>', 'validity in days')
    .option('--months <count>', 'validity in months (default: 3)')
    .option('--years <count>', 'validity in years')
    .option('--renew', 'renew it automatically before it ends')
    .option('--password-file <file>', 'file with the password of the key store or private key')
    .option('--csr <file>', 'certify the key of this certification request (PEM)')
    .option('--replace', 'replace the one of that name')
    .action(async (name: string, options: GenerateOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const body = { Name: name, Attributes: attributesOf(options) }
      const replace = options.replace === true
      const outcome = await withDestinationApi(folder(), options, (api) => store(api, collectionOf(options), { name, body, replace }))
      printer.result({ name, outcome }, () => `${name} ${outcome}. Save it with: sallyport certificate export ${name} --out ${name}`)
    })

  withLevel(certificate.command('export').description('save a file, with its private keys unless told').argument('<name>'))
    .option('--out <file>', 'where to; - is standard output (default: the name)')
    .option('--public', 'certificates only, as PEM')
    .option('--force', 'overwrite the file')
    .action(async (name: string, options: ExportOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const out = options.out ?? (options.public === true ? `${name}.public.pem` : name)
      const path = `${collectionOf(options)}/${segmentOf('certificate', name)}`
      const attempt = `reading the certificate "${name}"`
      const { status, body } = await withDestinationApi(folder(), options, (api) =>
        api({ method: 'GET', path: options.public === true ? `${path}/publicKeys` : path, attempt }),
      )
      if (status === 404) throw notFound(name, options.level)
      const content =
        options.public === true
          ? Buffer.from((body as readonly { readonly Content: string }[]).map((key) => key.Content).join(''))
          : Buffer.from((body as CertificateEntry).Content, 'base64')
      if (out === '-') {
        process.stdout.write(content)
        return
      }
      // The file may hold a private key that exists nowhere else.
      if (options.force !== true && existsSync(out))
        throw new ConnectivityError('CONFIGURATION_INVALID', `${out} exists already`, {
          details: { next: 'name another file with --out, or add --force' },
        })
      writeFileAtomically(out, content)
      printer.result({ name, file: out, bytes: content.length }, () => `${out} written, readable for its owner only.`)
    })

  withLevel(
    certificate.command('renew').description('renew a generated certificate now, with the attributes it was made with').argument('<name>'),
  ).action(async (name: string, options: LevelOptions, command: Command) => {
    const { printer, folder } = createContext(command)
    collectionOf(options)
    const data = folder()
    const level = options.level === 'subaccount' ? '/subaccount' : `/instances/${openInstances(data).destination.instanceId}`
    const path = `${level}/certificates/${segmentOf('certificate', name)}/renew`
    const attempt = `renewing the certificate "${name}"`
    const { status } = await withDestinationApi(data, options, (api) => api({ method: 'POST', api: 'administration', path, attempt }))
    if (status === 404) throw notFound(name, options.level)
    if (status === 409)
      throw new ConnectivityError('MESSAGE_INVALID', `${attempt}: somebody else has changed it meanwhile`, {
        details: { next: 'try again' },
      })
    printer.result(
      { name, outcome: 'renewed' },
      () => `${name} renewed. Save it with: sallyport certificate export ${name} --out ${name} --force`,
    )
  })

  withLevel(certificate.command('delete').description('delete a certificate').argument('<name>')).action(
    async (name: string, options: LevelOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const path = `${collectionOf(options)}/${segmentOf('certificate', name)}`
      const { status } = await withDestinationApi(folder(), options, (api) =>
        api({ method: 'DELETE', path, attempt: `deleting the certificate "${name}"` }),
      )
      if (status === 404) throw notFound(name, options.level)
      printer.result({ name, outcome: 'deleted' }, () => `${name} deleted.`)
    },
  )
}

async function store(
  api: DestinationApi,
  path: string,
  { name, body, replace }: { readonly name: string; readonly body: object; readonly replace: boolean },
): Promise<'created' | 'replaced'> {
  const attempt = `storing the certificate "${name}"`
  if (replace && (await api({ method: 'PUT', path, body, attempt })).status !== 404) return 'replaced'
  const { status } = await api({ method: 'POST', path, body, attempt })
  if (status === 409) {
    const next = 'choose another name, or add --replace'
    throw new ConnectivityError('MESSAGE_INVALID', `${attempt}: there is one of that name already`, { details: { next } })
  }
  return 'created'
}

function attributesOf(options: GenerateOptions): object {
  const units = (['days', 'months', 'years'] as const).flatMap((unit) =>
    options[unit] === undefined ? [] : [[unit, options[unit]] as const],
  )
  if (units.length > 1) throw usageError('use one of --days, --months and --years')
  const [unit, value] = units[0] ?? ['months', '3']
  if (!/^[1-9]\d{0,3}$/.test(value)) throw usageError(`--${unit} takes a whole number from 1 to 9999, not "${value}"`)
  return {
    ...(options.cn === undefined ? {} : { CN: options.cn }),
    Validity: { TimeUnit: unit.toUpperCase(), Value: Number(value) },
    AutomaticRenew: options.renew === true,
    ...(options.passwordFile === undefined
      ? {}
      : {
          Password: readInput(options.passwordFile)
            .toString('utf8')
            .replace(/\r?\n$/, ''),
        }),
    ...(options.csr === undefined ? {} : { CSR: readInput(options.csr).toString('base64') }),
  }
}

/** What can be said of a file without its password. */
async function describeFile(
  { Name: name, Content }: CertificateEntry,
  readKeystore: typeof import('@sallyport/keystore').readKeystore,
): Promise<{ readonly name: string; readonly subject?: string; readonly endsAt?: string; readonly privateKey: 'yes' | 'no' | 'locked' }> {
  try {
    const { entries, locked } = await readKeystore({ name, content: Buffer.from(Content, 'base64'), effort: 'brief' })
    const leaf = new X509Certificate(entries[0]?.certificates[0] ?? '')
    const privateKey = locked ? 'locked' : entries[0]?.privateKey === undefined ? 'no' : 'yes'
    return { name, subject: leaf.subject.split('\n').toReversed().join(','), endsAt: leaf.validToDate.toISOString(), privateKey }
  } catch {
    // PKCS #12 says nothing without its password.
    return { name, privateKey: 'locked' }
  }
}

function readInput(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException
    throw new ConnectivityError('CONFIGURATION_INVALID', `"${file}" cannot be read (${code})`, { cause })
  }
}

function collectionOf({ level }: LevelOptions): string {
  if (level === 'subaccount' || level === 'instance') return `/${level}Certificates`
  throw usageError(`--level takes subaccount or instance, not "${level}"`)
}

function notFound(name: string, level: string): ConnectivityError {
  return new ConnectivityError('NOT_FOUND', `there is no certificate "${name}" on the ${level} level`, {
    details: { next: 'sallyport certificate list' },
  })
}
