import { z } from 'zod'
import { type ExistingPolicy, existingPolicies } from './instance-parameters.ts'

/** A destination or fragment as an editor sends it: it never saw the secrets that are there. */
export interface EntityDraft {
  readonly properties: Readonly<Record<string, unknown>>
  /** Secret properties that keep the value they have. Every other property that is not given goes. */
  readonly keepSecrets?: readonly string[] | undefined
  /** Of a new entity: the one whose secrets are kept, for a duplicate. A replacement keeps its own. */
  readonly secretsFrom?: string | undefined
  /** On a subscriber's level, as the application sees it; as it was, unless given. */
  readonly sharedWithSubscriber?: boolean | undefined
}

const names = z.array(z.string().min(1).max(1_024)).max(1_000)

/** Checks an {@link EntityDraft}; the properties are checked when they are stored. */
export const entityDraftSchema: z.ZodType<EntityDraft> = z.strictObject({
  properties: z.record(z.string(), z.unknown()),
  keepSecrets: names.optional(),
  secretsFrom: z.string().min(1).max(1_024).optional(),
  sharedWithSubscriber: z.boolean().optional(),
})

/** How an export is written. */
export const exchangeFormats = ['json', 'yaml', 'properties'] as const
export type ExchangeFormat = (typeof exchangeFormats)[number]

/** What is to be exported; everything of the kind unless names are given. */
export interface ExportOrder {
  readonly format: ExchangeFormat
  readonly names?: readonly string[] | undefined
}

/** Checks an {@link ExportOrder}. */
export const exportOrderSchema: z.ZodType<ExportOrder> = z.strictObject({ format: z.enum(exchangeFormats), names: names.min(1).optional() })

/** A file that an export made. */
export interface ExchangedFile {
  readonly fileName: string
  readonly mediaType: string
  /** Base64. */
  readonly content: string
}

/** Checks an {@link ExchangedFile}. */
export const exchangedFileSchema: z.ZodType<ExchangedFile> = z.object({ fileName: z.string(), mediaType: z.string(), content: z.base64() })

/** A file to import. */
export interface ImportOrder {
  /** Its ending tells the format. */
  readonly fileName: string
  /** Base64. */
  readonly content: string
  /** What happens to those that exist; `update` keeps stored secrets that the file does not give. */
  readonly existing: ExistingPolicy
  /** Nothing is stored; the answer says what would be, and shows what the file holds. */
  readonly review: boolean
}

/** Checks an {@link ImportOrder}. */
export const importOrderSchema: z.ZodType<ImportOrder> = z.strictObject({
  fileName: z.string().max(1_024).default(''),
  content: z.base64(),
  existing: z.enum(existingPolicies).default('fail'),
  review: z.boolean().default(false),
})

/** What became of one entry of an imported file, or in a review what would. */
export interface ImportedEntry {
  /** `''` when it has none that may be shown. */
  readonly name: string
  readonly outcome: 'created' | 'replaced' | 'kept' | 'failed'
  readonly problem?: string | undefined
  /** Secrets that were taken out of the file and are not stored either: somebody has to give them. */
  readonly missingSecrets: readonly string[]
  /** In a review: what the file holds. */
  readonly properties?: Readonly<Record<string, string>> | undefined
}

/** Checks the answer to an import. */
export const importedEntriesSchema: z.ZodType<readonly ImportedEntry[]> = z.array(
  z.object({
    name: z.string(),
    outcome: z.enum(['created', 'replaced', 'kept', 'failed']),
    problem: z.string().optional(),
    missingSecrets: z.array(z.string()),
    properties: z.record(z.string(), z.string()).optional(),
  }),
)
