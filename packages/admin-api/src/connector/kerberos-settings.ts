import { z } from 'zod'
import { type FileReference, fileReference } from './file-reference.ts'

/** Encryption of tickets, in the original's names. RC4 is for domains that know nothing better. */
export const kerberosEncryptions = ['AES256_CTS_HMAC_SHA1_96', 'RC4_HMAC'] as const
/** One of {@link kerberosEncryptions}. */
export type KerberosEncryption = (typeof kerberosEncryptions)[number]

/** Where tickets come from, and who asks for them (principal-propagation.md §10). The key of that user is a keytab, which is kept apart. */
export interface KerberosSettings {
  /** Of the service user, of the users and of the backends. */
  readonly realm: string
  /** `host` or `host:port`; without a port it is 88. */
  readonly kdcHosts: readonly string[]
  readonly encryptionTypes: readonly KerberosEncryption[]
  /** Principal that may act for others, without its realm. */
  readonly serviceUser: string
  /** Domains in names of users, such as those of their mail addresses, whose users the KDC finds by the whole name. */
  readonly userDomains: readonly string[]
}

/** {@link KerberosSettings} in a configuration file. */
export interface KerberosEntry extends KerberosSettings {
  readonly keytab: FileReference
}

const domainName = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$/
const kdcHost = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/
const servicePrincipal = /^[A-Za-z0-9_][A-Za-z0-9_.$-]{0,127}(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]{0,253})?$/

/** Whether a text names a KDC: a host, or an IPv6 address in brackets, and a port if one is written. */
function isKdcHost(text: string): boolean {
  if (!kdcHost.test(text)) return false
  const port = /:(\d+)$/.exec(text.replace(/^\[.*\]/, ''))?.[1]
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)
}

/** Members of {@link KerberosSettings}, for schemas that add the keytab in their own way. */
export const kerberosKeys: {
  readonly realm: z.ZodType<string>
  readonly kdcHosts: z.ZodType<readonly string[]>
  readonly encryptionTypes: z.ZodType<readonly KerberosEncryption[]>
  readonly serviceUser: z.ZodType<string>
  readonly userDomains: z.ZodType<readonly string[]>
} = {
  realm: z
    .string()
    .regex(domainName, 'is no realm such as ACME.EXAMPLE')
    .describe('Realm of the service user, of the users and of the backends'),
  kdcHosts: z
    .array(z.string().refine(isKdcHost, 'is no host or host:port'))
    .min(1)
    .max(10)
    .describe('Hosts of the KDC as host or host:port, asked in this order; the port is 88 unless it is written'),
  encryptionTypes: z
    .array(z.enum(kerberosEncryptions))
    .min(1)
    .max(2)
    .default(['AES256_CTS_HMAC_SHA1_96'])
    .describe('Encryption of tickets, in order of preference'),
  serviceUser: z
    .string()
    .regex(servicePrincipal, 'is no principal name without realm, such as svc-connector or HTTP/connector.acme.example')
    .describe('Principal that may act for users at backends, without its realm'),
  userDomains: z
    .array(z.string().regex(domainName, 'is no domain such as acme.example'))
    .max(100)
    .default([])
    .describe('Domains in names of users, such as acme.example, whose users the KDC finds by the whole name'),
}

/** Schema of {@link KerberosEntry}. */
export const kerberosEntrySchema: z.ZodType<KerberosEntry> = z.strictObject({
  ...kerberosKeys,
  keytab: fileReference.describe('Keytab with the key of the service user'),
})
