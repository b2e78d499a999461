import type { BackendProtocol, MappingEntry, RfcMappingEntry } from '@sallyport/admin-api'
import { noSncLibrary } from '../access-control/access-decision.ts'
import { soapPath } from '../http/soap-function.ts'
import type { MappingRule } from './mapping-rule.ts'

/** Whether a key of RFC mappings has been written, told by its value. */
const isWritten: { readonly [Key in keyof RfcMappingEntry]-?: (entry: MappingEntry) => boolean } = {
  functions: (entry) => entry.functions.length > 0,
  soapFunctionFilter: (entry) => entry.soapFunctionFilter,
  allowedClients: (entry) => entry.allowedClients.length > 0,
  blockedUsers: (entry) => entry.blockedUsers.length > 0,
  sapRouter: (entry) => entry.sapRouter !== undefined,
  systemNumber: (entry) => entry.systemNumber !== undefined,
  logonGroup: (entry) => entry.logonGroup !== undefined,
  sncPartnerName: (entry) => entry.sncPartnerName !== undefined,
  passUnread: (entry) => entry.passUnread,
  allowCallbacks: (entry) => entry.allowCallbacks,
  strictInitialize: (entry) => !entry.strictInitialize,
  idleTimeoutSeconds: (entry) => entry.idleTimeoutSeconds !== 0,
}

/** Which keys a protocol has. Of what cannot be read nothing can be decided: such keys would promise what does not happen. */
const keysOf: Readonly<Partial<Record<BackendProtocol, readonly (keyof RfcMappingEntry)[]>>> = {
  HTTP: ['functions', 'soapFunctionFilter'],
  HTTPS: ['functions', 'soapFunctionFilter'],
  RFC: [
    'functions',
    'allowedClients',
    'blockedUsers',
    'sapRouter',
    'systemNumber',
    'logonGroup',
    'allowCallbacks',
    'strictInitialize',
    'idleTimeoutSeconds',
  ],
  RFCS: ['sapRouter', 'systemNumber', 'logonGroup', 'sncPartnerName', 'passUnread', 'idleTimeoutSeconds'],
  RFCWS: ['passUnread'],
}

const keysFit: MappingRule = ({ protocol }, entry) => {
  const allowed: readonly string[] = keysOf[protocol] ?? []
  return Object.entries(isWritten)
    .filter(([key, written]) => written(entry) && !allowed.includes(key))
    .map(([key]) => {
      const holders = Object.entries(keysOf).filter(([, keys]) => (keys as readonly string[]).includes(key))
      const names = new Intl.ListFormat('en').format(holders.map(([name]) => name.toLowerCase()))
      return { path: [key], message: `only ${names} mappings have it, ${protocol.toLowerCase()} mappings do not` }
    })
}

const functionsAreUnique: MappingRule = (_mapping, { functions }) => {
  const seen = new Map<string, number>()
  return functions.flatMap(({ name }, at) => {
    const first = seen.get(name)
    if (first !== undefined) return [{ path: ['functions', at, 'name'], message: `"${name}" is already function ${first} of this mapping` }]
    seen.set(name, at)
    return []
  })
}

/** The filter knows one path. Whoever admits others that the system takes for the same would pass it by. */
const soapIsRead: MappingRule = ({ protocol, resources }, { functions, soapFunctionFilter }) => {
  if (protocol !== 'HTTP' && protocol !== 'HTTPS') return []
  if (!soapFunctionFilter)
    return functions.length > 0 ? [{ path: ['functions'], message: 'are read only with soapFunctionFilter: true' }] : []
  return resources.flatMap(({ exactMatchOnly, path }, at) => {
    if (!exactMatchOnly)
      return [{ path: ['resources', at, 'subPaths'], message: 'a mapping with soapFunctionFilter admits single paths, without sub-paths' }]
    return path !== soapPath && isLikeSoapPath(path)
      ? [{ path: ['resources', at, 'path'], message: `may be taken for ${soapPath}, which is the path that soapFunctionFilter knows` }]
      : []
  })
}

/** However a system may read a path: in any case, decoded, without parameters, sessions and doubled slashes. */
function isLikeSoapPath(path: string): boolean {
  const decoded = path.replaceAll(/%([0-9A-Fa-f]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const plain = decoded
    .toLowerCase()
    .replaceAll(/;[^/]*|\([^/)]*\)/g, '')
    .replaceAll(/\/+/g, '/')
  return plain.startsWith(soapPath)
}

const sncHasAPartner: MappingRule = ({ protocol }, entry) =>
  protocol === 'RFCS' && entry.sncPartnerName === undefined
    ? [{ path: ['sncPartnerName'], message: 'an rfcs mapping names its SNC partner: p:<distinguished name of the backend>' }]
    : []

/** The SNC that passes is the application's: in it nobody would be logged on but whom the application names itself. */
const passingSncPropagatesNobody: MappingRule = ({ principalType, protocol }, { passUnread }) =>
  protocol === 'RFCS' && passUnread && principalType !== 'NONE'
    ? [{ path: ['passUnread'], message: `does not go with ${principalType}: ${noSncLibrary}` }]
    : []

/** What holds for the keys of RFC. */
export const rfcRules: readonly MappingRule[] = [keysFit, functionsAreUnique, soapIsRead, sncHasAPartner, passingSncPropagatesNobody]
