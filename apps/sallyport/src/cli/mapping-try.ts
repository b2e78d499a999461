import type { Command } from 'commander'
import type { RequestSimulation } from '@sallyport/cloud-connector'
import { exitCodes, usageError } from '../output/exit-code.ts'
import { administering } from './administering.ts'
import { chooseSubaccount, type SubaccountOption, subaccountPath } from './chosen-subaccount.ts'
import { createContext } from './context.ts'
import { formatLines, principalLines, type SimulatedPrincipal } from './simulated-principal.ts'
import { addTokenOptions, readToken, type TokenOptions } from './user-token.ts'

interface TryOptions extends SubaccountOption, TokenOptions {
  readonly request?: string
  readonly upgrade?: string
  readonly function?: string
  readonly client?: string
  readonly logOn?: string
}

/** What the REST API answers: the principal in its words. */
type Simulated = Omit<RequestSimulation, 'principal'> & {
  readonly principal?:
    | { readonly use: 'ticket'; readonly user?: string; readonly problem?: string; readonly message?: string }
    | { readonly use: 'empty-header' | 'nothing' }
    | ({ readonly use: 'certificate' } & SimulatedPrincipal)
}

/** `mapping try <virtual> [path]`: the decision, by whom, and what the application would read. Exit 4 when it is refused. */
export function addMappingTryCommand(command: Command): void {
  addTokenOptions(
    command
      .argument('<virtual>', 'host:port as the cloud uses it')
      .argument('[path]', 'path of an HTTP request; without it a connection is tried')
      .option('-X, --request <method>', 'method of the request')
      .option('--upgrade <protocol>', 'protocol that the request asks to change to, such as websocket')
      .option('--function <name>', 'function that is called by RFC, or by SOAP')
      .option('--client <client>', 'client that the call logs on to')
      .option('--log-on <user>', 'user whom the call logs on'),
  ).action(async (virtual: string, path: string | undefined, options: TryOptions, called: Command) => {
    const [, virtualHost, virtualPort] = /^(\[[^\]]+\]|[^:\s/]+):([\w-]+)$/.exec(virtual) ?? []
    if (virtualHost === undefined) throw usageError(`"${virtual}" is no virtual host and port, such as erp.virtual:443`)
    const token = await readToken(options, createContext(called).printer)
    await administering(called, async (administration, printer) => {
      const key = await chooseSubaccount(administration, options.subaccount)
      const simulated = await administration.send<Simulated>('POST', `${subaccountPath(key, 'private')}/simulation/request`, {
        virtualHost,
        virtualPort,
        path,
        method: options.request,
        upgrade: options.upgrade,
        function: options.function,
        client: options.client,
        user: options.logOn,
        ...token,
      })
      printer.result({ subaccount: key.subaccount, ...simulated }, () => {
        const verdict = simulated.allowed ? printer.good('allowed') : printer.bad('refused')
        return `${verdict}  ${simulated.reason}\n${formatLines(linesOf(simulated, virtual, path ?? options.function))}`
      })
      if (!simulated.allowed) process.exitCode = exitCodes.refused
    })
  })
}

function linesOf(
  { admitted, allowed, mapping, principal, refusal, resource }: Simulated,
  virtual: string,
  wanted: string | undefined,
): readonly (readonly [string, string])[] {
  const shown = ({ exactMatchOnly, id }: { readonly exactMatchOnly: boolean; readonly id: string }): string =>
    exactMatchOnly ? `${id} (exact)` : `${id} (and what begins with it)`
  // A resource admits it, and its user is in the way.
  const isPrincipal = !allowed && resource !== undefined
  return [
    [
      'mapping',
      mapping === undefined ? 'none' : `${mapping.virtual} → ${mapping.internal} (${mapping.protocol}, ${mapping.principalType})`,
    ],
    ...(resource === undefined ? [] : [['resource', shown(resource)] as const]),
    ...(allowed || mapping === undefined || isPrincipal
      ? []
      : [['admitted', admitted.length === 0 ? 'nothing' : admitted.map(shown).join(', ')] as const]),
    ...(principal === undefined ? [] : describePrincipal(principal)),
    ...(refusal === undefined ? [] : [['answer', `${refusal.status === undefined ? '' : `${refusal.status} `}${refusal.text}`] as const]),
    ...(allowed || isPrincipal ? [] : [['next', nextOf(mapping !== undefined, virtual, wanted)] as const]),
  ]
}

function describePrincipal(principal: NonNullable<Simulated['principal']>): readonly (readonly [string, string])[] {
  switch (principal.use) {
    case 'certificate':
      return principalLines(principal)
    case 'ticket':
      if (principal.user === undefined) return [['refused', principal.message ?? 'the token is not trusted']]
      return [
        ['user', `${principal.user}, by a Kerberos ticket`],
        ...(principal.problem === undefined ? [] : [['refused', principal.problem] as const]),
      ]
    case 'empty-header':
      return [['user', 'none, and the backend is told to log nobody on by the certificate of the connector']]
    case 'nothing':
      return [['user', 'none']]
  }
}

function nextOf(isMapped: boolean, virtual: string, wanted: string | undefined): string {
  if (!isMapped) return `sallyport mapping add ${virtual} <http://internal host:port>`
  return wanted === undefined ? 'sallyport mapping list' : `sallyport resource add ${virtual} ${wanted}`
}
