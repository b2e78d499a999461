import { z } from 'zod'
import { fileReference, type FileReference } from './file-reference.ts'
import { kerberosEntrySchema, type KerberosEntry } from './kerberos-settings.ts'
import { backendTypes, hostsInHeader, principalTypes, type BackendType, type HostInHeader, type PrincipalType } from './protocol-matrix.ts'
import { serviceChannelSchema, type ServiceChannelEntry } from './service-channel.ts'
import { rfcMappingKeys, type RfcMappingEntry } from './rfc-mapping.ts'

/** A certificate with its private key. `generated`: made by the connector at first use and kept with its sealed material. */
export type CertificateReference = 'generated' | { readonly certificate: FileReference; readonly key: FileReference }

/** One URL path, or everything that begins with it. */
export interface ResourceEntry {
  readonly path: string
  /** *Path and all sub-paths* instead of *path only*. */
  readonly subPaths: boolean
  readonly enabled: boolean
  readonly websocketUpgradeAllowed: boolean
  readonly description: string
}

/** One system mapping as written. */
export interface MappingEntry extends RfcMappingEntry {
  /** `host:port`; for TCP also `host:low-high`, for RFC also `host:sapgwNN` and `host:sapmsSID`. */
  readonly virtual: string
  /**
   * `http://`, `https://`, `rfc://`, `rfcs://`, `rfcws://`, `tcp://`, `tcps://`, `ldap://` or `ldaps://`, then `host[:port]`; for TCP also `host:low-high`, for RFC also
   * `host:sapgwNN` and `host:sapmsSID`.
   */
  readonly internal: string
  readonly backendType: BackendType
  /** Absent: `NONE_RESTRICTED` for https, `NONE` for everything else. */
  readonly principalType?: PrincipalType | undefined
  readonly hostInHeader: HostInHeader | Lowercase<HostInHeader>
  readonly description: string
  readonly resources: readonly ResourceEntry[]
}

/** Condition of a subject pattern rule. */
export interface RuleCondition {
  readonly variable: string
  readonly operator: 'exist' | 'exist_not' | 'is' | 'is_not'
  readonly value?: string | undefined
}

/** One subject pattern rule; without `when` it always holds. */
export interface SubjectRuleEntry {
  readonly when?: RuleCondition | undefined
  /** Such as `CN=${name},O=Example`. */
  readonly subject: string
}

/** From token to certificate. */
export interface PrincipalPropagationEntry {
  /** Shorthand for one rule without condition. */
  readonly subjectPattern?: string | undefined
  readonly rules?: readonly SubjectRuleEntry[] | undefined
  readonly validityMinutes: number
  readonly expirationToleranceHours: number
  /** Signs the user certificates. */
  readonly ca?: CertificateReference | undefined
}

/** Which TLS backends are trusted; nothing by default. */
export interface BackendTrustEntry {
  readonly authorities: readonly FileReference[]
  readonly trustAll: boolean
  readonly verifyHostName: boolean
}

/** Domain of a cookie as the backend sets it, and as the caller sees it. */
export interface CookieDomainEntry {
  readonly virtual: string
  readonly internal: string
}

/** What is written to the audit log, and how long it is kept. */
export interface AuditSettingsEntry {
  readonly level: 'OFF' | 'SECURITY' | 'ALL'
  /** 0: for ever. */
  readonly retentionDays: 0 | 14 | 30 | 90 | 180 | 365
}

/** Which token issuers are trusted. The list itself comes from the cloud side. */
export interface TrustSettingsEntry {
  /** Synchronise at connect, on notice and every hour; otherwise only on demand. */
  readonly automatic: boolean
  /** Issuers that stay untrusted although the subaccount trusts them. */
  readonly untrustedIssuers: readonly string[]
}

/** One connector: what it exposes for one subaccount and location ID, and how. */
export interface ConnectorEntry {
  /** Needed only when two subaccounts use the same location ID in one process. */
  readonly subaccount?: string | undefined
  /** The empty one is the default location. */
  readonly locationId: string
  readonly description: string
  /** Ports of services without a number in their name, such as `sapmsABC`. */
  readonly services: Readonly<Record<string, number>>
  readonly mappings: readonly MappingEntry[]
  /** Local ports that lead to services of the cloud side. */
  readonly channels: readonly ServiceChannelEntry[]
  readonly principalPropagation: PrincipalPropagationEntry
  readonly backendTrust: BackendTrustEntry
  /** TLS client certificate towards backends that ask for one. */
  readonly systemCertificate?: CertificateReference | undefined
  /** Without it mappings with principal type Kerberos log nobody on. */
  readonly kerberos?: KerberosEntry | undefined
  readonly cookieDomains: readonly CookieDomainEntry[]
  readonly audit: AuditSettingsEntry
  readonly trust: TrustSettingsEntry
  /** One deadline for name resolution, TCP and TLS. */
  readonly backendConnectTimeoutSeconds: number
  /** A backend that says nothing for so long while an answer is due gives 504. */
  readonly backendResponseTimeoutSeconds: number
}

const certificateReference = z
  .union([z.literal('generated'), z.strictObject({ certificate: fileReference, key: fileReference })])
  .describe('PEM certificate (with its chain) and PEM private key; "generated" lets the connector make and keep them')

const resource = z.strictObject({
  path: z.string().min(1).max(4096).describe('URL path as requests carry it, case-sensitive, without query'),
  subPaths: z.boolean().default(false).describe('Admit every path that begins with this text, not this path alone'),
  enabled: z.boolean().default(true).describe('A suspended resource stays configured and admits nothing'),
  websocketUpgradeAllowed: z.boolean().default(false).describe('Admit requests that upgrade to WebSocket'),
  description: z.string().max(1024).default(''),
})

/** Schema of one entry of `mappings:`. */
export const mappingEntrySchema: z.ZodType<MappingEntry> = z.strictObject({
  virtual: z
    .string()
    .min(1)
    .max(300)
    .describe('Name the cloud uses: host:port, for TCP also host:low-high, for RFC also host:sapgwNN and host:sapmsSID'),
  internal: z
    .string()
    .min(1)
    .max(300)
    .describe('Address the connector dials: http, https, rfc, rfcs, rfcws, tcp, tcps, ldap or ldaps URL of host and port, without path'),
  backendType: z.enum(backendTypes).default('nonSAPsys').describe('Kind of backend'),
  principalType: z.enum(principalTypes).optional().describe('Principal propagation and log-on with the system certificate'),
  hostInHeader: z
    .enum([...hostsInHeader, 'virtual', 'internal'])
    .default('VIRTUAL')
    .describe('Host header that the backend receives'),
  description: z.string().max(1024).default(''),
  resources: z.array(resource).default([]).describe('What an http or https mapping admits; nothing when empty'),
  ...rfcMappingKeys,
})

const condition = z.strictObject({
  variable: z.string().min(1).max(200).describe('Attribute of the token, or user_type'),
  operator: z.enum(['exist', 'exist_not', 'is', 'is_not']),
  value: z.string().max(1024).optional(),
})

const principalPropagation = z.strictObject({
  subjectPattern: z.string().min(1).max(2048).optional().describe('Subject of every user certificate, such as CN=${name}'),
  rules: z
    .array(z.strictObject({ when: condition.optional(), subject: z.string().min(1).max(2048) }))
    .min(1)
    .max(100)
    .optional()
    .describe('First rule whose condition holds; the last one has no condition'),
  validityMinutes: z.int().min(1).max(43_200).default(60).describe('Validity of user certificates'),
  expirationToleranceHours: z.int().min(1).max(336).default(2).describe('How long after its expiry a user token is still accepted'),
  ca: certificateReference.optional().describe('Signs user certificates; without it no principal is propagated'),
})

const settings = {
  backendTrust: z
    .strictObject({
      authorities: z.array(fileReference).default([]).describe('PEM certificates: roots, intermediates or self-signed servers'),
      trustAll: z.boolean().default(false).describe('Accept every backend certificate'),
      verifyHostName: z.boolean().default(true).describe('The certificate must name the internal host'),
    })
    .prefault({}),
  audit: z
    .strictObject({
      level: z.enum(['OFF', 'SECURITY', 'ALL']).default('SECURITY').describe('ALL also records what was allowed'),
      retentionDays: z
        .union([z.literal(0), z.literal(14), z.literal(30), z.literal(90), z.literal(180), z.literal(365)])
        .default(0)
        .describe('0 keeps the audit log for ever'),
    })
    .prefault({}),
  trust: z
    .strictObject({
      automatic: z.boolean().default(false).describe('Synchronise the trust list at connect, on notice and every hour'),
      untrustedIssuers: z.array(z.string().min(1)).default([]).describe('Issuers to distrust although the subaccount trusts them'),
    })
    .prefault({}),
}

/** Schema of one entry of `connectors:`. */
export const connectorEntrySchema: z.ZodType<ConnectorEntry> = z.strictObject({
  subaccount: z.string().min(1).max(200).optional(),
  locationId: z.string().max(200).default(''),
  description: z.string().max(1024).default(''),
  services: z
    .record(z.string().regex(/^[\w-]{1,32}$/), z.int().min(1).max(65_535))
    .default({})
    .describe('Ports of named services, such as sapmsABC: 3600'),
  mappings: z.array(mappingEntrySchema).default([]),
  channels: z
    .array(serviceChannelSchema)
    .max(500)
    .default([])
    .describe('Service channels: local ports that lead to services of the cloud side'),
  principalPropagation: principalPropagation.prefault({}),
  backendTrust: settings.backendTrust,
  systemCertificate: certificateReference.optional(),
  kerberos: kerberosEntrySchema.optional().describe('Tickets for mappings with principal type KERBEROS'),
  cookieDomains: z.array(z.strictObject({ virtual: z.string().min(1), internal: z.string().min(1) })).default([]),
  audit: settings.audit,
  trust: settings.trust,
  backendConnectTimeoutSeconds: z.int().min(1).max(600).default(20),
  backendResponseTimeoutSeconds: z.int().min(1).max(86_400).default(300),
})

/** Schema of the part of a configuration file that belongs to connectors: `version` and `connectors`. */
export const connectorFileSchema: z.ZodType<{ readonly version: 1; readonly connectors: readonly ConnectorEntry[] }> = z.strictObject({
  version: z.literal(1).default(1),
  connectors: z.array(connectorEntrySchema).max(100).default([]),
})
