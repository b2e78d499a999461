import { z } from 'zod'
import { createAdminCall, type DestinationAdminClientOptions } from '../admin-call.ts'
import type { Label } from '../label.ts'
import {
  type AdministeredCertificate,
  administeredCertificatesSchema,
  type AdministeredEntity,
  administeredEntitySchema,
  type AdministeredInstance,
  administeredInstancesSchema,
  type AdministrationSession,
  administrationSessionSchema,
} from './administration-answers.ts'
import {
  type EntityDraft,
  type ExchangedFile,
  exchangedFileSchema,
  type ExportOrder,
  type ImportedEntry,
  importedEntriesSchema,
  type ImportOrder,
} from './administration-requests.ts'
import { type ConnectionVerdict, connectionVerdictSchema } from './connection-check.ts'
import { type EncryptionStatus, encryptionStatusSchema } from './encryption-status.ts'

/** The subaccount's own level, or that of an instance by its id. */
export type AdministeredLevel = 'subaccount' | { readonly instance: string }

/** What is edited with secrets hidden. */
export type EditedCollection = 'destinations' | 'fragments'

/**
 * Administers destinations as a person does, or as a client of an instance: what may be done goes by roles, and secrets are never shown. Every method throws
 * `ConnectivityError` for anything but the outcomes it names; `ACCESS_DENIED` says which role is lacking.
 */
export interface DestinationAdministration {
  session(): Promise<AdministrationSession>
  /** The instances on whose levels something can be done. */
  instances(): Promise<readonly AdministeredInstance[]>
  list(level: AdministeredLevel, collection: EditedCollection): Promise<readonly AdministeredEntity[]>
  get(level: AdministeredLevel, collection: EditedCollection, name: string): Promise<AdministeredEntity | undefined>
  /** `undefined` when the name is taken. */
  create(level: AdministeredLevel, collection: EditedCollection, draft: EntityDraft): Promise<AdministeredEntity | undefined>
  /** `undefined` when there is none. With `version` only that one is replaced. */
  replace(
    level: AdministeredLevel,
    collection: EditedCollection,
    name: string,
    draft: EntityDraft,
    version?: string,
  ): Promise<AdministeredEntity | undefined>
  /** `false` when there was none; so do the labels. */
  delete(level: AdministeredLevel, collection: EditedCollection, name: string): Promise<boolean>
  setLabels(level: AdministeredLevel, collection: EditedCollection, name: string, labels: readonly Label[]): Promise<boolean>
  /** `undefined` when one of the names is not there, or nothing at all. */
  export(level: AdministeredLevel, collection: EditedCollection, order: ExportOrder): Promise<ExchangedFile | undefined>
  import(level: AdministeredLevel, collection: EditedCollection, order: ImportOrder): Promise<readonly ImportedEntry[]>
  /** `undefined` when there is no such destination. */
  check(level: AdministeredLevel, name: string): Promise<ConnectionVerdict | undefined>
  certificates(level: AdministeredLevel): Promise<readonly AdministeredCertificate[]>
  /** Applies parameters of an instance, what the original takes as `config.json`. */
  applyParameters(instance: string, parameters: unknown): Promise<AppliedParameters>
  /** How the subaccount is encrypted. */
  encryption(): Promise<EncryptionStatus>
  /** Encrypts the subaccount with the key of the customer that the operator has named; throws when there is none. */
  useCustomerKey(): Promise<EncryptionStatus>
  /** Takes the newest version of the key into use; throws when none is in use. */
  rotateCustomerKey(): Promise<EncryptionStatus>
  /** Lets the operator's key do alone again; throws when it does already. */
  releaseCustomerKey(): Promise<EncryptionStatus>
}

/** How many entities parameters created, replaced, and left as they were. */
interface AppliedParameters {
  readonly created: number
  readonly replaced: number
  readonly kept: number
}

const appliedParametersSchema: z.ZodType<AppliedParameters> = z.object({ created: z.number(), replaced: z.number(), kept: z.number() })

/** Makes the client; nothing is sent before the first call. */
export function createDestinationAdministration(options: DestinationAdminClientOptions): DestinationAdministration {
  const call = createAdminCall(options, '/admin/v1')
  /** For answers that cannot be absent or taken. */
  const required = async <T>(attempt: string, init: Parameters<typeof call<T>>[1]): Promise<T> => (await call(attempt, init)).body as T

  const pathOf = (level: AdministeredLevel): string =>
    level === 'subaccount' ? '/subaccount' : `/instances/${encodeURIComponent(level.instance)}`
  const all = (level: AdministeredLevel, collection: string): string => `${pathOf(level)}/${collection}`
  const one = (level: AdministeredLevel, collection: string, name: string): string =>
    `${all(level, collection)}/${encodeURIComponent(name)}`
  const textOf = (level: AdministeredLevel): string => (level === 'subaccount' ? 'the subaccount' : `the instance ${level.instance}`)

  const encryption = (attempt: string, method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string): Promise<EncryptionStatus> =>
    required(attempt, { method, path: `${pathOf('subaccount')}/encryption${path}`, schema: encryptionStatusSchema })

  return {
    session: () => required('asking who administers', { method: 'GET', path: '/session', schema: administrationSessionSchema }),
    instances: () => required('listing the instances', { method: 'GET', path: '/instances', schema: administeredInstancesSchema }),
    list: (level, collection) =>
      required(`listing the ${collection} of ${textOf(level)}`, {
        method: 'GET',
        path: all(level, collection),
        schema: z.array(administeredEntitySchema),
      }),
    async get(level, collection, name) {
      const path = one(level, collection, name)
      return (await call(`reading "${name}" of the ${collection}`, { method: 'GET', path, schema: administeredEntitySchema })).body
    },
    async create(level, collection, draft) {
      const attempt = `creating one of the ${collection} of ${textOf(level)}`
      const path = all(level, collection)
      return (await call(attempt, { method: 'POST', path, body: draft, schema: administeredEntitySchema })).body
    },
    async replace(level, collection, name, draft, version) {
      const { body } = await call(`replacing "${name}" of the ${collection}`, {
        method: 'PUT',
        path: one(level, collection, name),
        ...(version === undefined ? {} : { headers: { 'if-match': version } }),
        body: draft,
        schema: administeredEntitySchema,
      })
      return body
    },
    async delete(level, collection, name) {
      const counted = z.object({ Count: z.number() })
      const path = one(level, collection, name)
      const { absent, body } = await call(`deleting "${name}" of the ${collection}`, { method: 'DELETE', path, schema: counted })
      return !absent && body?.Count !== 0
    },
    async setLabels(level, collection, name, labels) {
      const path = `${one(level, collection, name)}/labels`
      return !(await call(`labelling "${name}" of the ${collection}`, { method: 'PUT', path, body: labels })).absent
    },
    async export(level, collection, order) {
      const path = `${all(level, collection)}/export`
      const attempt = `exporting ${collection} of ${textOf(level)}`
      return (await call(attempt, { method: 'POST', path, body: order, schema: exchangedFileSchema })).body
    },
    import: (level, collection, order) =>
      required(`importing ${collection} into ${textOf(level)}`, {
        method: 'POST',
        path: `${all(level, collection)}/import`,
        body: order,
        schema: importedEntriesSchema,
      }),
    async check(level, name) {
      const path = `${one(level, 'destinations', name)}/check`
      return (await call(`checking the connection of "${name}"`, { method: 'POST', path, schema: connectionVerdictSchema })).body
    },
    certificates: (level) =>
      required(`listing the certificates of ${textOf(level)}`, {
        method: 'GET',
        path: all(level, 'certificates'),
        schema: administeredCertificatesSchema,
      }),
    applyParameters: (instance, parameters) =>
      required(`applying parameters of the instance ${instance}`, {
        method: 'PUT',
        path: `${pathOf({ instance })}/parameters`,
        body: parameters,
        schema: appliedParametersSchema,
      }),
    encryption: () => encryption('asking how the subaccount is encrypted', 'GET', ''),
    useCustomerKey: () => encryption('encrypting the subaccount with a key of its owner', 'PUT', '/customerKey'),
    rotateCustomerKey: () => encryption('taking the newest version of the key into use', 'POST', '/customerKey/rotate'),
    releaseCustomerKey: () => encryption('releasing the key of the customer', 'DELETE', '/customerKey'),
  }
}
