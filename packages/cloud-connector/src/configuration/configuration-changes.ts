import {
  type ConnectorEntry,
  type FunctionEntry,
  localPortOf,
  type MappingEntry,
  type ResourceEntry,
  type ServiceChannelEntry,
} from '@sallyport/admin-api'
import { channelKey } from '../channels/channel-ids.ts'

/** One difference between two configurations, in the words and categories of the original's audit log. */
export interface ConfigurationChange {
  readonly category:
    | 'BackendMapping'
    | 'AllowedResource'
    | 'DomainMapping'
    | 'ServiceChannelConfiguration'
    | 'PrincipalPropagationConfiguration'
    | 'PpcaCertificate'
    | 'SystemCertificate'
    | 'KerberosConfiguration'
    | 'TrustedBackendCertificate'
    | 'TrustSynchronization'
    | 'IdentityProviderTrust'
    | 'AuditLogLevel'
    | 'AuditLogCleanup'
    | 'AdvancedConnectivity'
    | 'Account'
  readonly what: string
  /** JSON, or `undefined` where there was nothing before. */
  readonly before: string | undefined
  readonly after: string | undefined
}

type Category = ConfigurationChange['category']

const comparedFields: readonly (readonly [Category, string, (entry: ConnectorEntry) => unknown])[] = [
  ['Account', 'description', (entry) => entry.description],
  ['AdvancedConnectivity', 'services', (entry) => entry.services],
  ['DomainMapping', 'cookieDomains', (entry) => entry.cookieDomains],
  ['PpcaCertificate', 'principalPropagation.ca', (entry) => entry.principalPropagation.ca],
  ['PrincipalPropagationConfiguration', 'principalPropagation', (entry) => ({ ...entry.principalPropagation, ca: undefined })],
  ['SystemCertificate', 'systemCertificate', (entry) => entry.systemCertificate],
  ['KerberosConfiguration', 'kerberos', (entry) => entry.kerberos],
  ['TrustedBackendCertificate', 'backendTrust', (entry) => entry.backendTrust],
  ['TrustSynchronization', 'trust.automatic', (entry) => entry.trust.automatic],
  ['IdentityProviderTrust', 'trust.untrustedIssuers', (entry) => entry.trust.untrustedIssuers],
  ['AuditLogLevel', 'audit.level', (entry) => entry.audit.level],
  ['AuditLogCleanup', 'audit.retentionDays', (entry) => entry.audit.retentionDays],
  ['AdvancedConnectivity', 'backendConnectTimeoutSeconds', (entry) => entry.backendConnectTimeoutSeconds],
  ['AdvancedConnectivity', 'backendResponseTimeoutSeconds', (entry) => entry.backendResponseTimeoutSeconds],
]

/** What is different, mapping by mapping and resource by resource. Pure; files that references point to are not compared. */
export function configurationChanges(before: ConnectorEntry, after: ConnectorEntry): readonly ConfigurationChange[] {
  const settings = comparedFields.flatMap(([category, what, read]) => compare(category, what, read(before), read(after)))
  return [...settings, ...mappingChanges(before.mappings, after.mappings), ...channelChanges(before.channels, after.channels)]
}

/** `{old} to {new}`, as the original words it. */
export function formatChange(change: ConfigurationChange): string {
  return `parameter ${change.what} from ${change.before ?? '{}'} to ${change.after ?? '{}'}`
}

function mappingChanges(before: readonly MappingEntry[], after: readonly MappingEntry[]): readonly ConfigurationChange[] {
  const old = new Map(before.map((mapping) => [mapping.virtual.toLowerCase(), mapping]))
  const current = new Map(after.map((mapping) => [mapping.virtual.toLowerCase(), mapping]))
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((key) => {
    const was = old.get(key)
    const is = current.get(key)
    // The same object is the same: most of many mappings are.
    if (was === is) return []
    return [
      ...compare('BackendMapping', key, withoutResources(was), withoutResources(is)),
      ...resourceChanges(key, was?.resources ?? [], is?.resources ?? []),
      ...functionChanges(key, was?.functions ?? [], is?.functions ?? []),
    ]
  })
}

function channelChanges(before: readonly ServiceChannelEntry[], after: readonly ServiceChannelEntry[]): readonly ConfigurationChange[] {
  const old = new Map(before.map((channel) => [channelKey(channel), channel]))
  const current = new Map(after.map((channel) => [channelKey(channel), channel]))
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((key) => {
    const [was, is] = [old.get(key), current.get(key)]
    const shown = is ?? was
    const what = shown === undefined ? '' : `${shown.type} ${localPortOf(shown)}`
    return compare('ServiceChannelConfiguration', what, was, is)
  })
}

function resourceChanges(
  mapping: string,
  before: readonly ResourceEntry[],
  after: readonly ResourceEntry[],
): readonly ConfigurationChange[] {
  const old = new Map(before.map((resource) => [resource.path, resource]))
  const current = new Map(after.map((resource) => [resource.path, resource]))
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((path) =>
    compare('AllowedResource', `${mapping} ${path}`, old.get(path), current.get(path)),
  )
}

function functionChanges(
  mapping: string,
  before: readonly FunctionEntry[],
  after: readonly FunctionEntry[],
): readonly ConfigurationChange[] {
  const old = new Map(before.map((entry) => [entry.name, entry]))
  const current = new Map(after.map((entry) => [entry.name, entry]))
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((name) =>
    compare('AllowedResource', `${mapping} ${name}`, old.get(name), current.get(name)),
  )
}

function withoutResources(mapping: MappingEntry | undefined): unknown {
  if (mapping === undefined) return undefined
  return { ...mapping, resources: undefined, functions: undefined }
}

function compare(category: Category, what: string, before: unknown, after: unknown): readonly ConfigurationChange[] {
  const [was, is] = [JSON.stringify(before), JSON.stringify(after)]
  return was === is ? [] : [{ category, what, before: was, after: is }]
}
