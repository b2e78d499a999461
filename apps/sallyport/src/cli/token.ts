import { text } from 'node:stream/consumers'
import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { askControl, requireRunning } from '../control/control-client.ts'
import { usageError } from '../output/exit-code.ts'
import { readAuthority, readBindings } from '../stack/binding-files.ts'
import type { DataFolder } from '../stack/data-folder.ts'
import { createRequester } from '../stack/request.ts'
import { fetchToken, type IssuedToken, textOf } from '../stack/tokens.ts'
import { createContext } from './context.ts'

const services = ['xsuaa', 'destination', 'connectivity'] as const
/** The cockpit has users only, and no binding. */
type ClientName = (typeof services)[number] | 'cockpit'
const clients: readonly ClientName[] = [...services, 'cockpit']

const grants: readonly string[] = ['client_credentials', 'password']

interface IssueOptions {
  readonly user?: string
  readonly tenant?: string
  readonly scope?: string
  readonly grant?: string
  readonly client: string
  readonly raw?: boolean
}

/** `token issue` and `token inspect`. */
export function addTokenCommand(program: Command): void {
  const token = program.command('token').description('issue and inspect tokens')
  token
    .command('issue')
    .description('issue a token for a user, or for a client without one')
    .option('--user <name>', 'a user of the subaccount')
    .option('--tenant <id>', 'subaccount (default: the first one)')
    .option('--scope <scopes>', 'scopes, separated by blanks')
    .option('--grant <grant>', 'client_credentials (default without --user) or password')
    .option('--client <service>', `whose client: ${services.join(', ')}; for users also cockpit, which administers destinations`, 'xsuaa')
    .option('--raw', 'print the token alone')
    .action(async (options: IssueOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const client = clients.find((name) => name === options.client)
      if (client === undefined) throw usageError(`--client takes one of ${clients.join(', ')}, not "${options.client}"`)
      if (options.grant !== undefined && !grants.includes(options.grant))
        throw usageError(`--grant takes one of ${grants.join(', ')}, not "${options.grant}"`)
      const issued = await issueToken(folder(), { ...options, client })
      if (options.raw === true && !printer.json) process.stdout.write(`${issued.access_token}\n`)
      else printer.result(issued, () => `${issued.access_token}\n\n${describeToken(issued.access_token)}`)
    })
  token
    .command('inspect')
    .description('show what a token says; its signature is not checked')
    .argument('[jwt]', 'the token, or - to read it from standard input', '-')
    .action(async (given: string, _options: unknown, command: Command) => {
      const { printer } = createContext(command)
      const jwt = (given === '-' ? await text(process.stdin) : given).trim()
      const parts = decodeToken(jwt)
      printer.result(parts, () => `${JSON.stringify(parts, null, 2)}\n\n${describeToken(jwt)}`)
    })
}

/** Issues a token the way the options say; users need no password here, because the asker owns the token service's data. */
export async function issueToken(
  folder: DataFolder,
  options: {
    readonly client: ClientName
    readonly user?: string
    readonly tenant?: string
    readonly scope?: string
    readonly grant?: string
  },
): Promise<IssuedToken> {
  const scope = options.scope === undefined ? {} : { scope: options.scope }
  if (options.user !== undefined) {
    if (options.grant !== undefined && options.grant !== 'password')
      throw usageError(`a token for a user has the grant password, not "${options.grant}"`)
    const tenant = options.tenant === undefined ? {} : { tenant: options.tenant }
    return askControl<IssuedToken>(await requireRunning(folder, 'token-service'), 'issue-token', {
      user: options.user,
      client: options.client,
      ...tenant,
      ...scope,
    })
  }
  if (options.client === 'cockpit') throw usageError('the client cockpit administers for its users; name one with --user')
  const grant = options.grant ?? 'client_credentials'
  if (grant !== 'client_credentials') throw usageError(`the grant ${grant} needs --user`)
  await using request = createRequester({ authorities: [readAuthority(folder)] })
  const zone = options.tenant === undefined ? {} : { app_tid: options.tenant }
  return await fetchToken(request, readBindings(folder)[options.client][0], { grant_type: grant, ...zone, ...scope })
}

/** Header and claims of a token, unchecked. @throws ConnectivityError `MESSAGE_INVALID`. */
function decodeToken(jwt: string): { readonly header: Record<string, unknown>; readonly claims: Record<string, unknown> } {
  try {
    const [header = '', claims = '', signature] = jwt.split('.')
    if (signature === undefined) throw new Error('three parts are needed')
    const decode = (part: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
    return { header: decode(header), claims: decode(claims) }
  } catch (cause) {
    throw new ConnectivityError('MESSAGE_INVALID', 'this is not a JSON Web Token (three parts, separated by dots)', { cause })
  }
}

function describeToken(jwt: string): string {
  const { claims } = decodeToken(jwt)
  const who = textOf(claims['user_name']) || textOf(claims['client_id']) || textOf(claims['sub'])
  const seconds = typeof claims['exp'] === 'number' ? Math.round(claims['exp'] - Date.now() / 1000) : undefined
  const validity =
    seconds === undefined
      ? 'without expiry'
      : seconds > 0
        ? `valid for ${Math.round(seconds / 60)} min`
        : `expired ${Math.round(-seconds / 60)} min ago`
  return `${who} · client ${textOf(claims['cid'])} · tenant ${textOf(claims['zid'])} · ${validity}`
}
