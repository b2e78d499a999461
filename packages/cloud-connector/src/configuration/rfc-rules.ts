import type { BackendProtocol, MappingEntry, RfcMappingEntry } from '@sallyport/admin-api'
import type { MappingRule } from './mapping-rule.ts'

/** Whether a key of RFC mappings has been written, told by its value. */
const isWritten: { readonly [Key in keyof RfcMappingEntry]-?: (entry: MappingEntry) => boolean } = {
  functions: (entry) => entry.functions.length > 0,
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
      const names = holders.map(([name]) => name.toLowerCase()).join(' and ')
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

const sncHasAPartner: MappingRule = ({ protocol }, entry) =>
  protocol === 'RFCS' && entry.sncPartnerName === undefined
    ? [{ path: ['sncPartnerName'], message: 'an rfcs mapping names its SNC partner: p:<distinguished name of the backend>' }]
    : []

/** What holds for the keys of RFC. */
export const rfcRules: readonly MappingRule[] = [keysFit, functionsAreUnique, sncHasAPartner]
