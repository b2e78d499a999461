import type { MappingEntry, RfcMappingEntry } from '@sallyport/admin-api'
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
  sncPassThrough: (entry) => entry.sncPassThrough,
  allowCallbacks: (entry) => entry.allowCallbacks,
  strictInitialize: (entry) => !entry.strictInitialize,
  idleTimeoutSeconds: (entry) => entry.idleTimeoutSeconds !== 0,
}

const onlyForRfc: MappingRule = (mapping, entry) =>
  mapping.rfc !== undefined
    ? []
    : Object.entries(isWritten)
        .filter(([, written]) => written(entry))
        .map(([key]) => ({ path: [key], message: `only rfc and rfcs mappings have it, ${mapping.protocol.toLowerCase()} mappings do not` }))

const functionsAreUnique: MappingRule = (_mapping, { functions }) => {
  const seen = new Map<string, number>()
  return functions.flatMap(({ name }, at) => {
    const first = seen.get(name)
    if (first !== undefined) return [{ path: ['functions', at, 'name'], message: `"${name}" is already function ${first} of this mapping` }]
    seen.set(name, at)
    return []
  })
}

const sncHasAPartner: MappingRule = ({ protocol }, entry) => {
  if (protocol === 'RFCS')
    return entry.sncPartnerName === undefined
      ? [{ path: ['sncPartnerName'], message: 'an rfcs mapping names its SNC partner: p:<distinguished name of the backend>' }]
      : []
  const keys = (['sncPartnerName', 'sncPassThrough'] as const).filter((key) => protocol === 'RFC' && isWritten[key](entry))
  return keys.map((key) => ({ path: [key], message: 'only rfcs mappings have it, rfc mappings do not' }))
}

const sncIsNotDecided: MappingRule = ({ protocol }, entry) =>
  protocol === 'RFCS'
    ? (['functions', 'allowedClients', 'blockedUsers', 'allowCallbacks', 'strictInitialize'] as const)
        .filter((key) => isWritten[key](entry))
        .map((key) => ({ path: [key], message: 'cannot be applied: SNC hides it from the connector' }))
    : []

/** What holds for mappings of protocol RFC and RFCS. */
export const rfcRules: readonly MappingRule[] = [onlyForRfc, functionsAreUnique, sncHasAPartner, sncIsNotDecided]
