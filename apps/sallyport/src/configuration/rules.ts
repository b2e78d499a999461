import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import type { ConfigurationProblem } from '@sallyport/admin-api'
import { tryParseAddress } from '@sallyport/core'
import type { Configuration } from './configuration.ts'
import { configuredCollections, type ConfiguredEntity } from './configured-entities.ts'

type Rule = (configuration: Configuration) => readonly ConfigurationProblem[]

const uniqueSubaccounts: Rule = ({ subaccounts }) =>
  subaccounts.flatMap((entry, at) =>
    subaccounts.findIndex((other) => other.id === entry.id) === at
      ? []
      : [{ path: ['subaccounts', at, 'id'], message: `the subaccount "${entry.id}" stands twice` }],
  )

const uniqueSubdomains: Rule = ({ subaccounts }) => {
  const subdomain = (at: number): string => subaccounts[at]?.subdomain ?? subaccounts[at]?.id.toLowerCase() ?? ''
  return subaccounts.flatMap((_, at) =>
    subaccounts.findIndex((__, other) => subdomain(other) === subdomain(at)) === at
      ? []
      : [{ path: ['subaccounts', at], message: `the subdomain "${subdomain(at)}" stands twice` }],
  )
}

const uniqueUsers: Rule = ({ subaccounts }) =>
  subaccounts.flatMap(({ users }, at) =>
    users.flatMap((user, index) =>
      users.findIndex((other) => other.name === user.name) === index
        ? []
        : [{ path: ['subaccounts', at, 'users', index, 'name'], message: `the user "${user.name}" stands twice` }],
    ),
  )

const namedEntities: Rule = ({ subaccounts }) =>
  subaccounts.flatMap((subaccount, at) =>
    configuredCollections.flatMap(({ check, key, kind, nameProperty }) => {
      const entities = subaccount[key]
      return entities.flatMap((entity, index) => {
        const path = ['subaccounts', at, key, index]
        const name = entity[nameProperty]
        if (typeof name !== 'string' || name === '') return [{ path, message: `a ${kind} needs a ${nameProperty}` }]
        const verdict = check(plainValues(entity), { strictNames: true })
        if (!verdict.valid) return [{ path, message: verdict.problem }]
        if (kind === 'destination' && entity['Type'] === 'HTTP' && !isHttpUrl(entity['URL']))
          return [{ path: [...path, 'URL'], message: 'URL is not an absolute http or https URL' }]
        const first = entities.findIndex((other) => other[nameProperty] === name)
        return first === index ? [] : [{ path: [...path, nameProperty], message: `the ${kind} "${name}" stands twice` }]
      })
    }),
  )

/** References stand for texts that are read at the start. */
function plainValues(entity: ConfiguredEntity): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entity).map(([key, value]) => [key, typeof value === 'object' ? 'reference' : value]))
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === 'object' || (typeof value === 'string' && /^https?:$/.test(URL.parse(value)?.protocol ?? ''))
}

const existingFiles: Rule = (configuration) =>
  fileReferences(configuration, []).flatMap(({ path, file }) =>
    existsSync(resolve(dirname(configuration.path), file))
      ? []
      : [{ path, message: `there is no file "${file}" (relative to ${dirname(configuration.path)})` }],
  )

/** Every `{ file: … }` below a value. */
function fileReferences(
  value: unknown,
  path: readonly (string | number)[],
): readonly { readonly path: readonly (string | number)[]; readonly file: string }[] {
  if (typeof value !== 'object' || value === null) return []
  const entries = Array.isArray(value) ? value.map((item, at) => [at, item] as const) : Object.entries(value)
  const [only] = entries
  if (!Array.isArray(value) && entries.length === 1 && only?.[0] === 'file' && typeof only[1] === 'string')
    return [{ path: [...path, 'file'], file: only[1] }]
  return entries.flatMap(([key, item]) => fileReferences(item, [...path, key]))
}

const knownSubaccounts: Rule = ({ subaccounts, connectors }) =>
  connectors.flatMap((connector, at) =>
    connector.subaccount === undefined || subaccounts.length === 0 || subaccounts.some((entry) => entry.id === connector.subaccount)
      ? []
      : [{ path: ['connectors', at, 'subaccount'], message: `there is no subaccount "${connector.subaccount}"` }],
  )

const uniqueRoleCollections: Rule = ({ roleCollections }) =>
  roleCollections.flatMap((entry, at) =>
    roleCollections.findIndex((other) => other.name === entry.name) === at
      ? []
      : [{ path: ['roleCollections', at, 'name'], message: `the role collection "${entry.name}" stands twice` }],
  )

/** An issuer has one entry: two would let their order decide what its tokens mean. */
const uniqueIssuers: Rule = ({ identityProviders, identityServices }) => {
  const issuers = [...identityServices, ...identityProviders].map(({ issuer }) => issuer)
  return issuers.flatMap((issuer, at) => {
    if (issuers.indexOf(issuer) === at) return []
    const place = at < identityServices.length ? ['identityServices', at] : ['identityProviders', at - identityServices.length]
    return [{ path: [...place, 'issuer'], message: `the issuer "${issuer}" stands twice` }]
  })
}

const identityProviders: Rule = ({ identityProviders: entries }) =>
  entries.flatMap(({ embedToken, origin, propagatesUsers }, at) => {
    const problems: ConfigurationProblem[] = []
    const path = (key: string): ConfigurationProblem['path'] => ['identityProviders', at, key]
    if (origin === ownOrigin || entries.findIndex((other) => other.origin === origin) !== at)
      problems.push({ path: path('origin'), message: `users of another provider, or of this installation, have the origin "${origin}"` })
    if (embedToken && !propagatesUsers)
      problems.push({
        path: path('embedToken'),
        message: 'no connector accepts the token that is carried along unless propagatesUsers is true',
      })
    return problems
  })

/** Of the users that stand in the file. */
const ownOrigin = 'sap.default'

const tenantHosts: Rule = ({ server: { tokenService } }) => {
  if (!tokenService.tenantHosts) return []
  const url = URL.parse(tokenService.url ?? '')
  const usable = url !== null && url.protocol === 'https:' && url.pathname === '/' && isIP(url.hostname) === 0 && url.hostname.includes('.')
  const message = 'hosts for tenants need a url such as https://authentication.example.org: https, a domain name, no path'
  return usable ? [] : [{ path: ['server', 'tokenService', tokenService.url === undefined ? 'tenantHosts' : 'url'], message }]
}

const keySystems: Rule = ({ subaccounts, storage }) => {
  const { systems } = storage.keyManagement
  const names = systems.map(({ name }) => name)
  return [
    ...systems.flatMap((_, at) =>
      names.indexOf(names[at] ?? '') === at
        ? []
        : [{ path: ['storage', 'keyManagement', 'systems', at, 'name'], message: `the key management system "${names[at]}" stands twice` }],
    ),
    ...subaccounts.flatMap(({ customerKey }, at) =>
      customerKey === undefined || names.includes(customerKey.system)
        ? []
        : [{ path: ['subaccounts', at, 'customerKey', 'system'], message: `there is no key management system "${customerKey.system}"` }],
    ),
  ]
}

/** Two owners of one key would have to trust each other. */
const ownCustomerKeys: Rule = ({ subaccounts }) => {
  const keyOf = (at: number): string => JSON.stringify(subaccounts[at]?.customerKey ?? at)
  return subaccounts.flatMap((_, at) =>
    subaccounts.findIndex((__, other) => keyOf(other) === keyOf(at)) === at
      ? []
      : [{ path: ['subaccounts', at, 'customerKey'], message: 'another subaccount has the same key; each needs its own' }],
  )
}

const serviceMappings: Rule = ({ server: { serviceChannels }, subaccounts }) => {
  const keys = serviceChannels.mappings.map(({ serviceId, subaccountId, type }) =>
    JSON.stringify([type, subaccountId, serviceId.toLowerCase()]),
  )
  return serviceChannels.mappings.flatMap(({ internalAddress, serviceId, subaccountId, type }, at) => {
    const path = ['server', 'serviceChannels', 'mappings', at]
    const problems: ConfigurationProblem[] = []
    if (keys.indexOf(keys[at] ?? '') !== at)
      problems.push({
        path: [...path, 'serviceId'],
        message: `the ${type} service "${serviceId}" of subaccount "${subaccountId}" stands twice`,
      })
    if (tryParseAddress(internalAddress) === undefined)
      problems.push({
        path: [...path, 'internalAddress'],
        message: `"${internalAddress}" is not an address such as database.internal:5432`,
      })
    if (subaccounts.length > 0 && !subaccounts.some(({ id }) => id === subaccountId))
      problems.push({ path: [...path, 'subaccountId'], message: `there is no subaccount "${subaccountId}"` })
    return problems
  })
}

/** Named checks across entries. Each finds all its problems; none changes anything. */
const rules: readonly Rule[] = [
  uniqueSubaccounts,
  uniqueSubdomains,
  uniqueUsers,
  namedEntities,
  knownSubaccounts,
  tenantHosts,
  existingFiles,
  keySystems,
  ownCustomerKeys,
  uniqueRoleCollections,
  uniqueIssuers,
  identityProviders,
  serviceMappings,
]

export function checkRules(configuration: Configuration): readonly ConfigurationProblem[] {
  return rules.flatMap((rule) => rule(configuration))
}
