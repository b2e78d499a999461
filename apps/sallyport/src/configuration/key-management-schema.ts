import { z } from 'zod'
import { serverTlsFields } from './server-tls-schema.ts'
import { reference, secretReference, type SecretReference, type TextOrReference } from './text-reference.ts'

/** Where customers keep keys, and for how long what was unwrapped there is used. */
export interface KeyManagementEntry {
  readonly systems: readonly KeySystemEntry[]
  readonly maxAgeSeconds: number
}

/** A key management system, by the name that subaccounts refer to. */
export type KeySystemEntry = TransitSystemEntry | LocalSystemEntry

interface TransitSystemEntry {
  readonly name: string
  readonly type: 'transit'
  readonly url: string
  readonly mount: string
  readonly namespace?: string | undefined
  readonly token?: SecretReference | undefined
  readonly appRole?: { readonly mount: string; readonly roleId: TextOrReference; readonly secretId: SecretReference } | undefined
  readonly authorities?: readonly { readonly file: string }[] | undefined
  readonly clientCertificate?: { readonly certificate: { readonly file: string }; readonly key: { readonly file: string } } | undefined
}

interface LocalSystemEntry {
  readonly name: string
  readonly type: 'local'
  readonly folder: string
  readonly passphrase?: SecretReference | undefined
}

/** The key of a customer that a subaccount may be encrypted with. */
export interface CustomerKeyEntry {
  readonly system: string
  readonly key: string
}

const name = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'letters, digits, ".", "_" and "-", at most 64')
  .describe('What subaccounts call it')
const mountPath = z.string().regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, 'a path such as transit or teams/transit')

const transit = z
  .strictObject({
    name,
    type: z.literal('transit').describe('The transit engine of HashiCorp Vault or OpenBao'),
    url: z
      .url({ protocol: /^https?$/ })
      .refine(
        (url) => url.startsWith('https:') || /^http:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?(\/|$)/.test(url),
        'https, except on this machine',
      )
      .refine((url) => !/^https?:\/\/[^/]*@/.test(url), 'no user and password; use token or appRole')
      .describe('Where it answers, such as https://vault.example.org:8200'),
    mount: mountPath.default('transit').describe('Where the engine is mounted'),
    namespace: z.string().min(1).max(500).optional(),
    token: secretReference.optional().describe('Read again for every call, so that an agent may renew it'),
    appRole: z
      .strictObject({ mount: mountPath.default('approle'), roleId: reference, secretId: secretReference })
      .optional()
      .describe('Log on with role and secret instead'),
    ...serverTlsFields,
  })
  .refine(({ token, appRole }) => (token === undefined) !== (appRole === undefined), 'needs either token or appRole')

const local = z.strictObject({
  name,
  type: z.literal('local').describe('Keys in a folder: <key>.pem with an RSA private key, or <key>.key with 32 bytes in Base64'),
  folder: z.string().min(1).describe('Relative to the configuration file'),
  passphrase: secretReference.optional().describe('Of the private keys, where they are encrypted'),
})

/** The part of the schema that names key management systems. */
export const keyManagementSchema: z.ZodType<KeyManagementEntry> = z.strictObject({
  systems: z
    .array(z.discriminatedUnion('type', [transit, local]))
    .max(50)
    .default([]),
  maxAgeSeconds: z
    .number()
    .min(1)
    .max(3_600)
    .default(60)
    .describe('How long an unwrapped key is used: a key that its owner takes back works no longer than this. The same for all replicas'),
})

/** The part of the schema that names the key of a subaccount. */
export const customerKeySchema: z.ZodType<CustomerKeyEntry> = z.strictObject({
  system: z.string().min(1).describe('One of storage.keyManagement.systems'),
  key: z
    .string()
    .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/, 'letters, digits, ".", "_" and "-", at most 128')
    .describe('What the key is called there'),
})
