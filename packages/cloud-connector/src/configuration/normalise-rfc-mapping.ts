import type { ConfigurationProblem, MappingEntry } from '@sallyport/admin-api'
import { createFunctionList, type FunctionResource } from '../access-control/function-list.ts'
import { blockedUserKey, type RfcBackend, type RfcMapping } from '../access-control/rfc-mapping.ts'
import type { PortRange } from './port-range.ts'
import { readRoute } from './read-route.ts'
import { type RfcAddress, rangeOf } from './rfc-address.ts'

/** The group that a message server is asked for when the mapping names none: what clients of SAP ask for. */
const defaultLogonGroup = 'PUBLIC'

/** What INITIALIZE has room for. */
const maxHostCharacters = 128

/** Turns what a mapping says about RFC into the internal form, or says what is wrong with it. */
export function normaliseRfcMapping(
  entry: MappingEntry,
  internal: RfcAddress | { readonly problem: string },
): { readonly rfc: RfcMapping; readonly address: PortRange } | { readonly problems: readonly ConfigurationProblem[] } {
  if ('problem' in internal) return { problems: [{ path: ['internal'], message: `"${entry.internal}" ${internal.problem}` }] }
  const problems: ConfigurationProblem[] = []
  if (internal.host.length > maxHostCharacters)
    problems.push({ path: ['internal'], message: `its host is longer than the ${maxHostCharacters} characters that RFC has room for` })
  const backend = backendOf(entry, internal)
  if ('problem' in backend) problems.push(backend.problem)
  const route = routeOf(entry.sapRouter)
  if ('problem' in route) problems.push({ path: ['sapRouter'], message: route.problem })
  if ('problem' in backend || 'problem' in route || problems.length > 0) return { problems }
  const functions = functionsOf(entry)
  const rfc: RfcMapping = {
    backend,
    functions,
    list: createFunctionList(functions),
    allowedClients: new Set(entry.allowedClients.map((client) => client.toUpperCase())),
    blockedUsers: new Set(entry.blockedUsers.map(({ client, user }) => blockedUserKey(client, user))),
    route,
    allowCallbacks: entry.allowCallbacks,
    strictInitialize: entry.strictInitialize,
    idleTimeoutMs: entry.idleTimeoutSeconds * 1000,
  }
  return { rfc, address: rangeOf(internal) }
}

/** The functions of a mapping in the internal form. */
export function functionsOf(entry: MappingEntry): readonly FunctionResource[] {
  return entry.functions.map(({ prefix, ...rest }) => ({ ...rest, exactMatchOnly: !prefix }))
}

/** A number outside the usual ranges means what else is written: a logon group makes it a message server, a system number a gateway. */
function backendOf(entry: MappingEntry, internal: RfcAddress): RfcBackend | { readonly problem: ConfigurationProblem } {
  const { logonGroup, systemNumber = internal.systemNumber } = entry
  if (internal.kind === 'gateway' && logonGroup !== undefined)
    return { problem: { path: ['logonGroup'], message: `only message servers have logon groups, and ${internal.portText} is a gateway` } }
  if (internal.systemNumber !== undefined && systemNumber !== internal.systemNumber)
    return { problem: { path: ['systemNumber'], message: `${internal.portText} belongs to system number ${internal.systemNumber}` } }
  const isNumbered = /^\d+$/.test(internal.portText)
  const isMessageServer =
    logonGroup !== undefined || (internal.kind === 'message-server' && !(isNumbered && entry.systemNumber !== undefined))
  if (isMessageServer) return { kind: 'message-server', logonGroup: logonGroup ?? defaultLogonGroup, systemNumber: entry.systemNumber }
  if (systemNumber !== undefined) return { kind: 'gateway', systemNumber }
  const message = `port ${internal.portText} does not tell what listens there; write systemNumber for a gateway or logonGroup for a message server`
  return { problem: { path: ['internal'], message } }
}

/** Passwords of SAProuters are secrets: they stand in files and not in the configuration. */
function routeOf(written: MappingEntry['sapRouter']): RfcMapping['route'] | { readonly problem: string } {
  if (written === undefined) return []
  if (typeof written !== 'string') return written
  const hops = readRoute(written)
  if ('problem' in hops) return hops
  return hops.some(({ password }) => password !== '') ? { problem: 'holds a password, which belongs into a file: write { file: … }' } : hops
}
