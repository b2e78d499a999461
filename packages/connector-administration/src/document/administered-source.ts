import { checkConfiguration, type ConnectorEntry, connectorEntrySchema } from '@sallyport/admin-api'
import type { ConfigurationSource, WrittenConnectors } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { type SubjectPattern, subjectFields } from '@sallyport/principal-propagation'
import { formatName } from '@sallyport/x509'
import type { AdministeredDocument } from './administered-document.ts'
import { mappingEntryOf, namedServicesOf } from './administered-mapping.ts'
import type { AdministeredSubaccount } from './administered-subaccount.ts'
import { explainProblem } from './explain-problem.ts'
import type { OnPremisesSettings } from './on-premises.ts'

/** The document as a source of configuration for the connector, which reads it whenever it is told to reload. */
export function createAdministeredSource(current: () => AdministeredDocument): ConfigurationSource {
  return {
    name: 'administration',
    read: async () => renderConnectors(current()),
    async readFile(reference, encoding = 'utf8') {
      const { kerberos } = current().onPremises
      // No text, and kept in the form that it is asked for in.
      if (reference === keytabName && encoding === 'base64' && kerberos !== undefined) return kerberos.keytab
      const part = readPart(current().onPremises, reference)
      if (part === undefined)
        throw new ConnectivityError('CONFIGURATION_INVALID', `the administered configuration has no part "${reference}"`)
      return encoding === 'utf8' ? part : Buffer.from(part).toString(encoding)
    },
    // Whoever changes the document tells the connector, with the name of the user who changed it.
    watch: () => () => {},
  }
}

/** Whether the tunnel of an identity is meant to be open: a shadow opens none; that of an identity without subaccount is, which is adopted. */
export function isWantedBy(document: AdministeredDocument, holder: { readonly subaccount: string; readonly locationId: string }): boolean {
  const entry = document.subaccounts.find(
    ({ locationId, subaccount }) => subaccount === holder.subaccount && locationId === holder.locationId,
  )
  return document.connector.haRole !== 'shadow' && (entry?.connected ?? true)
}

/** What the document means for the connector, in the form of the configuration file. */
export function renderConnectors(document: AdministeredDocument): WrittenConnectors {
  return {
    connectors: document.subaccounts.map((entry) => toConnectorEntry(entry, document)),
    explain: (problem) => explainProblem(problem, document),
  }
}

function toConnectorEntry(entry: AdministeredSubaccount, document: AdministeredDocument): ConnectorEntry {
  const read = checkConfiguration(connectorEntrySchema, settingsOf(entry, document))
  if ('problems' in read) {
    const [{ message, path } = { message: 'is not valid', path: [] }] = read.problems
    const at = document.subaccounts.indexOf(entry)
    throw new ConnectivityError('CONFIGURATION_INVALID', explainProblem({ message, path: ['connectors', at, ...path] }, document))
  }
  return { ...read.value, mappings: entry.systemMappings.map(mappingEntryOf) }
}

/** Everything of an entry but its mappings. */
function settingsOf(entry: AdministeredSubaccount, { onPremises, reporting }: AdministeredDocument): unknown {
  const { kerberos, ppCaCertificate, systemCertificate, trustAllBackends, trustedBackends } = onPremises
  return {
    subaccount: entry.subaccount,
    locationId: entry.locationId,
    description: entry.description,
    audit: { level: entry.auditLevel, retentionDays: reporting.auditLog.cleanup },
    services: namedServicesOf(entry.systemMappings),
    channels: entry.channels,
    trust: entry.trust,
    cookieDomains: entry.domainMappings.map(({ internalDomain, virtualDomain }) => ({ virtual: virtualDomain, internal: internalDomain })),
    ...(systemCertificate.current === undefined ? {} : { systemCertificate: partsOf('systemCertificate') }),
    ...(kerberos === undefined ? {} : { kerberos: { ...kerberos, keytab: { file: keytabName } } }),
    backendTrust: { trustAll: trustAllBackends, authorities: trustedBackends.map(({ alias }) => ({ file: alias })) },
    principalPropagation: {
      expirationToleranceHours: onPremises.expirationToleranceInHr,
      validityMinutes: onPremises.certificateValidityInMin,
      rules: onPremises.subjectPatternRules.map(({ condition, pattern }) => ({ when: condition, subject: formatSubjectPattern(pattern) })),
      ...(ppCaCertificate.current === undefined ? {} : { ca: partsOf('ppCaCertificate') }),
    },
  }
}

const keytabName = 'kerberos.keytab'

/** Names of parts of the document, where a configuration file would name files. */
function partsOf(slot: OwnedSlot): { readonly certificate: { readonly file: string }; readonly key: { readonly file: string } } {
  return { certificate: { file: `${slot}.certificate` }, key: { file: `${slot}.key` } }
}

type OwnedSlot = 'systemCertificate' | 'ppCaCertificate'

function readPart(onPremises: OnPremisesSettings, name: string): string | undefined {
  switch (name) {
    case 'systemCertificate.certificate':
      return onPremises.systemCertificate.current?.certificate
    case 'systemCertificate.key':
      return onPremises.systemCertificate.current?.key
    case 'ppCaCertificate.certificate':
      return onPremises.ppCaCertificate.current?.certificate
    case 'ppCaCertificate.key':
      return onPremises.ppCaCertificate.current?.key
    default:
      return onPremises.trustedBackends.find(({ alias }) => alias === name)?.certificate
  }
}

function formatSubjectPattern(pattern: SubjectPattern): string {
  return formatName(
    subjectFields.flatMap((type) => (pattern[type] === undefined || pattern[type] === '' ? [] : [{ type, value: pattern[type] }])),
  )
}
